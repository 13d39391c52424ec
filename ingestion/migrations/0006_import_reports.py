import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids


class Migration(migrations.Migration):
    """What an import would do, counted before it begins."""

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), ("ingestion", "0005_tracking_plan")]

    operations = [
        migrations.CreateModel(
            name="ImportTrial",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("definition", models.JSONField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ready", "waiting to start"),
                            ("reading", "reading"),
                            ("counting", "counting"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="ready",
                        max_length=8,
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=40)),
                ("is_whole", models.BooleanField(default=True)),
                ("rows_read", models.BigIntegerField(default=0)),
                ("rows_counted", models.BigIntegerField(default=0)),
                ("counts", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
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
                    "file_import",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trials", to="ingestion.fileimport"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["ready", "reading", "counting"])),
                        fields=["lease_until"],
                        name="import_trial_running",
                    )
                ]
            },
        ),
    ]
