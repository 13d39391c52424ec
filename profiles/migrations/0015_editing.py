import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids

DISPOSITIONS = [
    ("answered", "Answered"),
    ("ordered", "Ordered"),
    ("call_back", "Call back"),
    ("complaint", "Complaint"),
    ("not_reached", "Not reached"),
    ("wrong_person", "Wrong person"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0014_cases"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="note",
            name="disposition",
            field=models.CharField(blank=True, choices=DISPOSITIONS, max_length=12, default=""),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="AgentEdit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("traits", models.JSONField()),
                ("before", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ("undone_at", models.DateTimeField(null=True)),
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
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="edits",
                        to="profiles.sourcerecord",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["record", "at"], name="agent_edit_of_record")]},
        ),
        migrations.CreateModel(
            name="NoteDraft",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("text", models.TextField(max_length=4000)),
                ("disposition", models.CharField(blank=True, choices=DISPOSITIONS, max_length=12)),
                ("at", models.DateTimeField(auto_now=True)),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="note_drafts",
                        to="profiles.sourcerecord",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "record"), name="note_draft_once")],
            },
        ),
        migrations.CreateModel(
            name="Presence",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("seen_at", models.DateTimeField()),
                ("trait", models.CharField(blank=True, max_length=80)),
                (
                    "profile",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="presences",
                        to="profiles.profile",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["seen_at"], name="presence_age")],
                "constraints": [models.UniqueConstraint(fields=("profile", "user"), name="presence_once")],
            },
        ),
    ]
