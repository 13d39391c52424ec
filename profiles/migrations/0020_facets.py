from django.db import migrations, models

FACETS = ("birth_date", "city", "country", "gender", "language", "postcode", "province")
VALUE = (
    "CASE WHEN jsonb_typeof(%(expressions)s -> '{trait}') = 'string' "
    "AND octet_length(%(expressions)s ->> '{trait}') <= 100 THEN %(expressions)s ->> '{trait}' END"
)
OTHER = (
    "coalesce(jsonb_typeof(%(expressions)s -> '{trait}') NOT IN ('string', 'null') "
    "OR octet_length(%(expressions)s ->> '{trait}') > 100, false)"
)
COLUMNS = {f"facet_{trait}": VALUE.format(trait=trait) for trait in FACETS}
TELL = f"NOT ({' OR '.join(OTHER.format(trait=trait) for trait in FACETS)})"


def field(template: str, kind: models.Field) -> models.GeneratedField:
    made = models.Func(models.F("golden"), template=template)
    return models.GeneratedField(expression=made, output_field=kind, db_persist=True)


def column(name: str, template: str, kind: str) -> str:
    return f"ADD COLUMN {name} {kind} GENERATED ALWAYS AS ({template % {'expressions': 'golden'}}) STORED"


ADDED = [
    *(column(name, template, "text") for name, template in COLUMNS.items()),
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
                    migrations.AddField("profile", name, field(template, models.TextField(null=True)))
                    for name, template in COLUMNS.items()
                ),
                migrations.AddField("profile", "facets_tell", field(TELL, models.BooleanField())),
            ],
        ),
        migrations.AddIndex(
            "profile",
            models.Index(fields=["id"], name="profile_facets", include=["facets_tell", *COLUMNS], condition=IS_PERSON),
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
