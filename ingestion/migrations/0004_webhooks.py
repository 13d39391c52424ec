from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0003_source_doors")]

    operations = []
