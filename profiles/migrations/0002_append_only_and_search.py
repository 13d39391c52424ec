from django.db import migrations

from cdp_site.core.append_only import append_only

# A trigram index on the distinct name words only: 1M people have about 200,000 of them.
NAME_SEARCH = """
CREATE INDEX name_token_trigrams ON profiles_nametoken USING gin (token gin_trgm_ops);
CREATE INDEX name_token_prefix ON profiles_nametoken (token text_pattern_ops);
CREATE INDEX name_token_skeleton ON profiles_nametoken (skeleton);
"""
DROP_NAME_SEARCH = """
DROP INDEX name_token_trigrams;
DROP INDEX name_token_prefix;
DROP INDEX name_token_skeleton;
"""


class Migration(migrations.Migration):
    dependencies = [("profiles", "0001_initial"), ("core", "0002_append_only_and_extensions")]

    operations = [
        append_only("profiles_sourcerecordversion", erasable=True),
        append_only("profiles_linkdecision", erasable=True),
        migrations.RunSQL(NAME_SEARCH, DROP_NAME_SEARCH),
    ]
