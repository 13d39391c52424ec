from django.db import migrations, models

HAS_LIST = models.Func(
    models.F("properties"),
    template="""%(expressions)s @? 'strict $.* ? (@.type() == "array")'""",
    output_field=models.BooleanField(),
)


class Migration(migrations.Migration):
    dependencies = [("profiles", "0020_facets")]

    operations = [
        migrations.AddIndex(
            "touchpoint",
            models.Index(fields=["type", "occurred_at"], name="touchpoint_lists", condition=models.Q(HAS_LIST)),
        ),
    ]
