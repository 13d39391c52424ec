from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

from cdp_site.core import append_only

CACHE_TABLE = """
CREATE TABLE core_cache (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX core_cache_expires ON core_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        TrigramExtension(),
        migrations.RunSQL(append_only.CREATE_FUNCTIONS, append_only.DROP_FUNCTIONS),
        append_only.append_only("core_auditevent", erasable=False),
        append_only.append_only("core_auditseal", erasable=False),
        migrations.RunSQL(CACHE_TABLE, "DROP TABLE core_cache;"),
    ]
