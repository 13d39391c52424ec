from importlib import import_module

from django.db import migrations, models

first = import_module("profiles.migrations.0020_facets")
BORN, TELL = "facet_birth_date", "facets_tell"
DAY = (
    "%(expressions)s ->> 'birth_date' ~ "
    "'^[12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))$|^([12][0-9](0[48]|[2468][048]|[13579][26])|(1[26]|2[048])00)-02-29$'"
)


def holds(trait: str) -> str:
    return DAY if trait == "birth_date" else f"octet_length(%(expressions)s ->> '{trait}') <= 100"


def is_other(trait: str) -> str:
    is_no_text = f"jsonb_typeof(%(expressions)s -> '{trait}') NOT IN ('string', 'null')"
    return f"coalesce({is_no_text} OR NOT {holds(trait)}, false)"


IS_TEXT = "jsonb_typeof(%(expressions)s -> 'birth_date') = 'string'"
DAYS = f"CASE WHEN {IS_TEXT} AND {DAY} THEN %(expressions)s ->> 'birth_date' END"
TELLS = f"NOT ({' OR '.join(map(is_other, first.FACETS))})"


def altered(born: str, kind: str, tells: str) -> str:
    changes = [f"DROP COLUMN {BORN}", f"DROP COLUMN {TELL}"]
    changes += [first.column(BORN, born, kind), first.column(TELL, tells, "boolean NOT NULL")]
    return f"ALTER TABLE profiles_profile {', '.join(changes)}"


class Migration(migrations.Migration):
    """The facet of birth dates holds days alone, in their order. One statement: the table is written anew once."""

    dependencies = [("profiles", "0022_touchpoint_order")]

    operations = [
        migrations.RemoveIndex("profile", "profile_facets"),
        migrations.RemoveIndex("profile", "profile_beside_facets"),
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    altered(DAYS, 'text COLLATE "C"', TELLS), altered(first.COLUMNS[BORN], "text", first.TELL)
                )
            ],
            [
                migrations.RemoveField("profile", BORN),
                migrations.RemoveField("profile", TELL),
                migrations.AddField("profile", BORN, first.field(DAYS, models.TextField(null=True, db_collation="C"))),
                migrations.AddField("profile", TELL, first.field(TELLS, models.BooleanField())),
            ],
        ),
        migrations.AddIndex("profile", models.Index(fields=["id"], name="profile_live", condition=first.IS_PERSON)),
        migrations.AddIndex(
            "profile",
            models.Index(
                fields=[BORN, "id"],
                name="profile_facets",
                include=[name for name in first.COLUMNS if name != BORN],
                condition=first.IS_PERSON & models.Q(facets_tell=True),
            ),
        ),
        migrations.AddIndex(
            "profile", models.Index(fields=["id"], name="profile_beside_facets", condition=first.IS_BESIDE)
        ),
    ]
