from django.db import migrations

from cdp_site.core.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial"), ("core", "0002_append_only_and_extensions")]

    operations = [append_only("consent_consententry", erasable=True)]
