from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0002_internal_source")]

    operations = []
