from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("profiles", "0004_pending_resolution")]

    operations = []
