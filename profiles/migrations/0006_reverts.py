from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("profiles", "0005_accounts")]

    operations = []
