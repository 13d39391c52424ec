import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_initial"),
        ("segments", "0005_library"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SegmentDraft",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("segment_version", models.PositiveIntegerField(null=True)),
                ("said", models.JSONField(default=dict)),
                ("position", models.PositiveIntegerField(default=0)),
                ("changed_at", models.DateTimeField(auto_now=True, db_index=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="core.department"),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="drafts",
                        to="segments.segment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DraftStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="segments.segmentdraft",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("draft", "number"), name="draft_step_once")],
            },
        ),
    ]
