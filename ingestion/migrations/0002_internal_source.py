from django.db import migrations

INTERNAL_SLUG = "cdp"


def create(apps, schema_editor):
    apps.get_model("ingestion", "Source").objects.get_or_create(
        slug=INTERNAL_SLUG, defaults={"name": "This platform", "kind": "internal", "trust_rank": 10}
    )


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0001_initial")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
