from django.db import migrations, models
from django.db.models.functions import Right

# What sounds alike in either script, misspelled or not, is found by the trigrams of its reading.
# Of short words one error leaves too few of them: those are found by first letter and length.
INDEXES = """
CREATE INDEX name_token_readings ON profiles_nametoken USING gin (reading gin_trgm_ops);
CREATE INDEX name_token_short ON profiles_nametoken ("left"(token, 1), char_length(token))
    WHERE char_length(token) <= 6;
"""
DROP_INDEXES = """
DROP INDEX name_token_readings;
DROP INDEX name_token_short;
"""


class Migration(migrations.Migration):
    """Words that are stored already get their reading from the chore `name_index.fill_readings`: a million people's
    would hold up the start for minutes."""

    dependencies = [("profiles", "0016_page")]

    operations = [
        migrations.AlterField("nametoken", "token", models.CharField(max_length=80)),
        migrations.AddField("nametoken", "reading", models.CharField(default="", max_length=80)),
        migrations.AddConstraint(
            "nametoken", models.UniqueConstraint(fields=["token", "reading"], name="name_token_once")
        ),
        migrations.AddIndex(
            "nametoken",
            models.Index(fields=["id"], name="name_token_unread", condition=models.Q(reading="")),
        ),
        migrations.AddIndex(
            "identifier",
            models.Index(Right("value", 4), name="identifier_last_four", condition=models.Q(kind="phone")),
        ),
        migrations.RunSQL(INDEXES, DROP_INDEXES),
    ]
