import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What an import said about consent has no effect once it was reverted; what another one said besides, has."""

    dependencies = [("consent", "0003_standard_purposes")]

    operations = [
        migrations.CreateModel(
            name="VoidEntry",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="void",
                        serialize=False,
                        to="consent.consententry",
                    ),
                ),
                ("operation_id", models.UUIDField()),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SecondedCell",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("operation_id", models.UUIDField(null=True)),
                ("first_stated_at", models.DateTimeField()),
                ("last_stated_at", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="seconded",
                        to="consent.consententry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entry", "operation_id"), name="seconded_cell_once", nulls_distinct=False
                    )
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("operation_id__isnull", False)),
                        fields=["operation_id"],
                        name="seconded_cell_of_operation",
                    )
                ],
            },
        ),
    ]
