from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0005_tracking_plan")]

    operations = []
