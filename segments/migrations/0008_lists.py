import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_initial"),
        ("profiles", "0001_initial"),
        ("segments", "0006_export"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StaticList",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("n_given", models.PositiveIntegerField(default=0)),
                ("n_found", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="core.department",
                        verbose_name="department",
                    ),
                ),
            ],
            options={
                "verbose_name": "list",
                "verbose_name_plural": "lists",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("department", "name"), name="static_list_name", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StaticListMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="segments.staticlist",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="profiles.sourcerecord"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("list", "record"), name="static_list_member_once")],
            },
        ),
    ]
