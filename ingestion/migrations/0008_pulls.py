from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0007_source_health")]

    operations = []
