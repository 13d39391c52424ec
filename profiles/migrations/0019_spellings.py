import django.contrib.postgres.fields
from django.db import migrations, models

# What waits in a list to be sorted in is read through by every search; few words are new, and a chore changes many.
INDEXES = ("name_token_near", "name_token_sounds_near", "name_token_readings", "name_token_trigrams")


class Migration(migrations.Migration):
    """Both are written by the chore `name_spellings.learn`."""

    dependencies = [("profiles", "0018_name_variants")]

    operations = [
        migrations.AddField("nametoken", "bearers", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField(
            "nametoken",
            "spellings",
            django.contrib.postgres.fields.ArrayField(models.BigIntegerField(), db_default=[], default=list),
        ),
        *(
            migrations.RunSQL(f"ALTER INDEX {index} SET (fastupdate = off)", f"ALTER INDEX {index} RESET (fastupdate)")
            for index in INDEXES
        ),
    ]
