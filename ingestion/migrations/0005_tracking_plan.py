import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids


def make_rulebook(apps, schema_editor):
    apps.get_model("ingestion", "Rulebook").objects.create(pk=1)


class Migration(migrations.Migration):
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), ("ingestion", "0004_webhooks")]

    operations = [
        migrations.CreateModel(
            name="Rulebook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name="quarantineditem", name="event", field=models.CharField(blank=True, max_length=100)
        ),
        migrations.AddField(
            model_name="quarantineditem", name="field", field=models.CharField(blank=True, max_length=120)
        ),
        migrations.AddField(model_name="quarantineditem", name="replayed_as", field=models.BigIntegerField(null=True)),
        migrations.AlterField(
            model_name="quarantineditem",
            name="status",
            field=models.CharField(
                choices=[("open", "open"), ("discarded", "discarded"), ("replayed", "replayed")],
                default="open",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="CorrectionRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.UUIDField(default=cdp_site.core.ids.uuid7)),
                ("version", models.PositiveIntegerField(default=1)),
                ("name", models.CharField(max_length=100)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("event", models.CharField(blank=True, max_length=100)),
                ("definition", models.JSONField()),
                ("position", models.PositiveIntegerField()),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="ingestion.source")),
            ],
            options={"ordering": ["position", "id"]},
        ),
        migrations.CreateModel(
            name="PlanObservation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event", models.CharField(max_length=100)),
                ("property", models.CharField(blank=True, max_length=80)),
                (
                    "json_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("string", "text"),
                            ("integer", "whole number"),
                            ("number", "number"),
                            ("boolean", "yes or no"),
                            ("array", "list"),
                            ("object", "object"),
                            ("null", "empty"),
                        ],
                        max_length=8,
                    ),
                ),
                ("day", models.DateField()),
                ("n", models.BigIntegerField()),
                ("n_sampled", models.BigIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="ingestion.source"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PlanSchema",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=100)),
                ("version", models.PositiveIntegerField()),
                ("schema", models.JSONField()),
                ("is_pinned", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("unpinned_at", models.DateTimeField(null=True)),
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
                    "unpinned_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PlanViolation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event", models.CharField(max_length=100)),
                ("rule", models.CharField(max_length=300)),
                ("at", models.DateTimeField()),
                ("n", models.IntegerField()),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="ingestion.source"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Replay",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("reason", models.CharField(max_length=40)),
                ("narrowed", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "running"),
                            ("finished", "finished"),
                            ("undoing", "being undone"),
                            ("undone", "undone"),
                        ],
                        default="running",
                        max_length=10,
                    ),
                ),
                ("cursor", models.BigIntegerField(default=0)),
                ("last", models.BigIntegerField()),
                ("n_total", models.IntegerField()),
                ("n_replayed", models.IntegerField(default=0)),
                ("n_kept", models.IntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="ingestion.source")),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ["-created_at"]},
        ),
        migrations.AddField(
            model_name="quarantineditem",
            name="replay",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to="ingestion.replay"
            ),
        ),
        migrations.AddIndex(
            model_name="quarantineditem",
            index=models.Index(
                condition=models.Q(("replay__isnull", False)), fields=["replay", "id"], name="quarantine_of_replay"
            ),
        ),
        migrations.AddConstraint(
            model_name="correctionrule",
            constraint=models.UniqueConstraint(fields=("key", "version"), name="correction_rule_version"),
        ),
        migrations.AddConstraint(
            model_name="correctionrule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)), fields=("key",), name="correction_rule_one_active"
            ),
        ),
        migrations.AddIndex(
            model_name="planobservation",
            index=models.Index(condition=models.Q(("property", "")), fields=["day"], name="plan_observation_events"),
        ),
        migrations.AddConstraint(
            model_name="planobservation",
            constraint=models.UniqueConstraint(
                fields=("event", "source", "property", "json_type", "day"), name="plan_observation_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="planschema",
            constraint=models.UniqueConstraint(fields=("event", "version"), name="plan_schema_version"),
        ),
        migrations.AddConstraint(
            model_name="planschema",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_pinned", True)), fields=("event",), name="plan_schema_one_pinned"
            ),
        ),
        migrations.AddIndex(
            model_name="planviolation", index=models.Index(fields=["at"], name="plan_violation_by_time")
        ),
        migrations.AddConstraint(
            model_name="planviolation",
            constraint=models.UniqueConstraint(fields=("event", "source", "rule", "at"), name="plan_violation_once"),
        ),
        migrations.AddIndex(
            model_name="quarantineditem",
            index=models.Index(
                condition=models.Q(("status__in", ["open", "replayed"])),
                fields=["batch_id"],
                name="quarantine_of_batch",
            ),
        ),
        migrations.AddIndex(
            model_name="quarantineditem",
            index=models.Index(
                condition=models.Q(("status", "replayed")), fields=["replayed_as"], name="quarantine_replayed_as"
            ),
        ),
        migrations.AddField(model_name="quarantineditem", name="was_seen", field=models.BooleanField(default=False)),
        migrations.RunPython(make_rulebook, migrations.RunPython.noop),
    ]
