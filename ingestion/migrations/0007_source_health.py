from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0006_import_reports")]

    operations = []
