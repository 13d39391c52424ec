import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0017_search"),
        ("segments", "0003_membership"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ComputedTrait",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("name_th", models.CharField(blank=True, max_length=100, verbose_name="name in Thai")),
                ("description", models.CharField(blank=True, max_length=300, verbose_name="description")),
                ("definition", models.JSONField()),
                (
                    "data_type",
                    models.CharField(
                        choices=[
                            ("text", "text"),
                            ("number", "number"),
                            ("date", "date"),
                            ("boolean", "yes or no"),
                            ("list", "list"),
                        ],
                        max_length=10,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("computed_version", models.PositiveIntegerField(default=0)),
                ("computed_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("computed_to", models.BigIntegerField(default=0)),
                ("archived_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="profiles.traitgroup",
                        verbose_name="group",
                    ),
                ),
            ],
            options={
                "verbose_name": "computed trait",
                "verbose_name_plural": "computed traits",
                "ordering": ["name", "pk"],
                "constraints": [models.UniqueConstraint(fields=("group", "name"), name="computed_trait_name")],
            },
        ),
        migrations.CreateModel(
            name="PendingValues",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("aspect", models.CharField(max_length=12)),
                ("subject", models.BigIntegerField(null=True)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("event", "something that happened"),
                            ("time", "time that passed"),
                            ("definition", "a change of the definition"),
                            ("merge", "a merge"),
                            ("unmerge", "an unmerge"),
                            ("erasure", "an erasure"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "profile_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ComputedTraitVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("actor", models.CharField(max_length=60)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "trait",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="segments.computedtrait",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("trait", "version"), name="computed_trait_version_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ComputedValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "trait_id",
                        "profile_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("next_change_at", models.DateTimeField(null=True)),
                ("value", models.JSONField(null=True)),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="computed_values",
                        to="profiles.profile",
                    ),
                ),
                (
                    "trait",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="values",
                        to="segments.computedtrait",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["profile"], name="computed_value_of_person"),
                    models.Index(
                        condition=models.Q(("next_change_at__isnull", False)),
                        fields=["next_change_at"],
                        name="computed_value_due",
                    ),
                ],
            },
        ),
    ]
