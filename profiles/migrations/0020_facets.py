from django.db import migrations, models

FACETS = ("birth_date", "city", "country", "gender", "language", "postcode", "province")
DAY = (
    "^[12][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))$|^([12][0-9](0[48]|[2468][048]|[13579][26])|(1[26]|2[048])00)-02-29$"
)


def holds(trait: str) -> str:
    text = f"%(expressions)s ->> '{trait}'"
    return f"{text} ~ '{DAY}'" if trait == "birth_date" else f"octet_length({text}) <= 100"


def value(trait: str) -> str:
    is_text = f"jsonb_typeof(%(expressions)s -> '{trait}') = 'string'"
    return f"CASE WHEN {is_text} AND {holds(trait)} THEN %(expressions)s ->> '{trait}' END"


def is_other(trait: str) -> str:
    return (
        f"coalesce(jsonb_typeof(%(expressions)s -> '{trait}') NOT IN ('string', 'null') OR NOT {holds(trait)}, false)"
    )


COLUMNS = {f"facet_{trait}": value(trait) for trait in FACETS}
DAYS = "facet_birth_date"
TELL = f"NOT ({' OR '.join(map(is_other, FACETS))})"


def field(template: str, kind: models.Field) -> models.GeneratedField:
    made = models.Func(models.F("golden"), template=template)
    return models.GeneratedField(expression=made, output_field=kind, db_persist=True)


def text(name: str) -> models.TextField:
    return models.TextField(null=True, db_collation="C" if name == DAYS else None)


def column(name: str, template: str, kind: str) -> str:
    return f"ADD COLUMN {name} {kind} GENERATED ALWAYS AS ({template % {'expressions': 'golden'}}) STORED"


ADDED = [
    *(column(name, template, 'text COLLATE "C"' if name == DAYS else "text") for name, template in COLUMNS.items()),
    column("facets_tell", TELL, "boolean NOT NULL"),
]
DROPPED = [f"DROP COLUMN {name}" for name in (*COLUMNS, "facets_tell")]
IS_PERSON = models.Q(kind="identified", state="live")
IS_BESIDE = IS_PERSON & models.Q(facets_tell=False)


class Migration(migrations.Migration):
    """All columns in one statement: each by itself would write the whole table anew."""

    dependencies = [("profiles", "0019_spellings")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [
                migrations.RunSQL(
                    f"ALTER TABLE profiles_profile {', '.join(ADDED)}",
                    f"ALTER TABLE profiles_profile {', '.join(DROPPED)}",
                )
            ],
            [
                *(
                    migrations.AddField("profile", name, field(template, text(name)))
                    for name, template in COLUMNS.items()
                ),
                migrations.AddField("profile", "facets_tell", field(TELL, models.BooleanField())),
            ],
        ),
        migrations.AddIndex(
            "profile",
            models.Index(fields=["id"], name="profile_live", condition=IS_PERSON),
        ),
        migrations.AddIndex(
            "profile",
            models.Index(
                fields=[DAYS, "id"],
                name="profile_facets",
                include=[name for name in COLUMNS if name != DAYS],
                condition=IS_PERSON & models.Q(facets_tell=True),
            ),
        ),
        migrations.AddIndex(
            "profile",
            models.Index(fields=["id"], name="profile_beside_facets", condition=IS_BESIDE),
        ),
        migrations.RemoveIndex("order", "order_of_profile"),
        migrations.AddIndex(
            "order",
            models.Index(
                fields=["profile", "placed_at"],
                name="order_of_profile",
                include=["total", "refunded", "status", "currency", "source"],
            ),
        ),
    ]
