import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

# One statement over such a view sees each message exactly once, however batches are being rolled up meanwhile.
ACCOUNT = """
CREATE VIEW ingestion_account AS
SELECT id, source_id, door::varchar(20) AS door, received_at AS at, received_at AS last_at, 1 AS n_batches,
       n_items::bigint AS n_items, n_stored::bigint AS n_stored, n_duplicate::bigint AS n_duplicate,
       n_quarantined::bigint AS n_quarantined, n_suppressed::bigint AS n_suppressed,
       CASE WHEN status = 'waiting' THEN n_items ELSE 0 END::bigint AS n_waiting
  FROM ingestion_inboundbatch
 UNION ALL
SELECT -id, source_id, door, hour, last_received_at, n_batches,
       n_items, n_stored, n_duplicate, n_quarantined, n_suppressed, 0
  FROM ingestion_receivedhour;
"""
IMPORT_ACCOUNT = """
CREATE VIEW ingestion_importaccount AS
SELECT id, file_import_id,
       n_items::bigint AS n_items, n_stored::bigint AS n_stored, n_duplicate::bigint AS n_duplicate,
       n_quarantined::bigint AS n_quarantined, n_suppressed::bigint AS n_suppressed,
       CASE WHEN status = 'waiting' THEN n_items ELSE 0 END::bigint AS n_waiting
  FROM ingestion_inboundbatch WHERE file_import_id IS NOT NULL
 UNION ALL
SELECT 0, file_import_id, n_items, n_stored, n_duplicate, n_quarantined, n_suppressed, 0
  FROM ingestion_importrollup;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0006_import_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AccountRow",
            fields=[
                ("n_items", models.BigIntegerField(default=0)),
                ("n_stored", models.BigIntegerField(default=0)),
                ("n_duplicate", models.BigIntegerField(default=0)),
                ("n_quarantined", models.BigIntegerField(default=0)),
                ("n_suppressed", models.BigIntegerField(default=0)),
                ("n_waiting", models.BigIntegerField()),
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("door", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("n_batches", models.IntegerField()),
            ],
            options={
                "db_table": "ingestion_account",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="ImportAccountRow",
            fields=[
                ("n_items", models.BigIntegerField(default=0)),
                ("n_stored", models.BigIntegerField(default=0)),
                ("n_duplicate", models.BigIntegerField(default=0)),
                ("n_quarantined", models.BigIntegerField(default=0)),
                ("n_suppressed", models.BigIntegerField(default=0)),
                ("n_waiting", models.BigIntegerField()),
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
            options={
                "db_table": "ingestion_importaccount",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("backlog", "backlog"),
                            ("silent", "silent"),
                            ("quarantine", "violations"),
                            ("import", "import failed"),
                            ("clock", "wrong clock"),
                        ],
                        max_length=12,
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("good_since", models.DateTimeField(null=True)),
                ("value", models.FloatField()),
                ("threshold", models.FloatField()),
                ("acknowledged_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AlertDelivery",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "event",
                    models.CharField(
                        choices=[("opened", "opened"), ("closed", "closed"), ("test", "test")], max_length=8
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("sent", "sent"), ("failed", "failed")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("problem", models.CharField(blank=True, max_length=40)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("sent_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AlertRecipient",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "channel",
                    models.CharField(
                        choices=[("email", "E-mail"), ("webhook", "Webhook")], max_length=8, verbose_name="Channel"
                    ),
                ),
                ("address", models.CharField(max_length=500, verbose_name="Address")),
                ("language", models.CharField(default="th", max_length=2, verbose_name="Language")),
                ("secret", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["channel", "address"],
            },
        ),
        migrations.CreateModel(
            name="FutureHour",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField()),
                ("n", models.IntegerField()),
                ("furthest", models.DurationField()),
            ],
        ),
        migrations.CreateModel(
            name="ImportRollUp",
            fields=[
                ("n_items", models.BigIntegerField(default=0)),
                ("n_stored", models.BigIntegerField(default=0)),
                ("n_duplicate", models.BigIntegerField(default=0)),
                ("n_quarantined", models.BigIntegerField(default=0)),
                ("n_suppressed", models.BigIntegerField(default=0)),
                (
                    "file_import",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rolled_up",
                        serialize=False,
                        to="ingestion.fileimport",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ReceivedHour",
            fields=[
                ("n_items", models.BigIntegerField(default=0)),
                ("n_stored", models.BigIntegerField(default=0)),
                ("n_duplicate", models.BigIntegerField(default=0)),
                ("n_quarantined", models.BigIntegerField(default=0)),
                ("n_suppressed", models.BigIntegerField(default=0)),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField()),
                ("door", models.CharField(max_length=20)),
                ("n_batches", models.IntegerField(default=0)),
                ("last_received_at", models.DateTimeField()),
                ("lag", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
            ],
        ),
        migrations.CreateModel(
            name="RejectedHour",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField()),
                ("n", models.IntegerField()),
                ("last_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="RemovedByRetention",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("quarantine", "held-back messages"), ("file", "imported files")], max_length=10
                    ),
                ),
                ("n", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "quarantine_days",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="held-back messages",
                    ),
                ),
                (
                    "file_days",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="imported files",
                    ),
                ),
                (
                    "batch_days",
                    models.PositiveSmallIntegerField(
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="list of received batches",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WatchRule",
            fields=[
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="watch_rule",
                        serialize=False,
                        to="ingestion.source",
                    ),
                ),
                (
                    "silence",
                    models.BooleanField(default=True, verbose_name="When nothing comes although it usually does"),
                ),
                (
                    "silence_hours",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                        verbose_name="Silent for",
                    ),
                ),
                ("quarantine", models.BooleanField(default=True, verbose_name="When many messages cannot be used")),
                (
                    "quarantine_percent",
                    models.PositiveSmallIntegerField(
                        default=5,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="Held back, of 100",
                    ),
                ),
                ("backlog", models.BooleanField(default=True, verbose_name="When messages wait too long")),
                (
                    "backlog_minutes",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                        verbose_name="Waiting for",
                    ),
                ),
                ("imports", models.BooleanField(default=True, verbose_name="When an import fails")),
                ("clock", models.BooleanField(default=True, verbose_name="When its clock is wrong")),
                (
                    "clock_minutes",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                        verbose_name="Wrong by",
                    ),
                ),
            ],
        ),
        migrations.RemoveIndex(
            model_name="inboundbatch",
            name="inbound_of_source",
        ),
        migrations.AddIndex(
            model_name="inboundbatch",
            index=models.Index(fields=["source", "received_at"], name="inbound_of_source"),
        ),
        migrations.RemoveIndex(model_name="inboundbatch", name="inbound_waiting"),
        migrations.AddIndex(
            model_name="inboundbatch",
            index=models.Index(
                fields=["lane", "source", "id"], name="inbound_waiting", condition=models.Q(status="waiting")
            ),
        ),
        # What waits is short-lived: to compress it costs more than the landing itself.
        migrations.RunSQL(
            "ALTER TABLE ingestion_inboundbatch ALTER COLUMN raw SET STORAGE EXTERNAL",
            "ALTER TABLE ingestion_inboundbatch ALTER COLUMN raw SET STORAGE EXTENDED",
        ),
        migrations.AddField(
            model_name="alert",
            name="acknowledged_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="source",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="ingestion.source"),
        ),
        migrations.AddField(
            model_name="alertdelivery",
            name="alert",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to="ingestion.alert"
            ),
        ),
        migrations.AddField(
            model_name="alertrecipient",
            name="department",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                to="core.department",
                verbose_name="Sources of",
            ),
        ),
        migrations.AddField(
            model_name="alertdelivery",
            name="recipient",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="ingestion.alertrecipient"),
        ),
        migrations.AddField(
            model_name="futurehour",
            name="source",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="ingestion.source"),
        ),
        migrations.AddConstraint(
            model_name="importrollup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "n_items",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("n_stored"), "+", models.F("n_duplicate")
                                ),
                                "+",
                                models.F("n_quarantined"),
                            ),
                            "+",
                            models.F("n_suppressed"),
                        ),
                    )
                ),
                name="import_roll_up_equation",
            ),
        ),
        migrations.AddField(
            model_name="receivedhour",
            name="source",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="ingestion.source"),
        ),
        migrations.AddField(
            model_name="rejectedhour",
            name="source",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to="ingestion.source"
            ),
        ),
        migrations.AddField(
            model_name="removedbyretention",
            name="source",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="ingestion.source"),
        ),
        migrations.AddField(
            model_name="retentionrule",
            name="source",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, to="ingestion.source"
            ),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(fields=["source", "-opened_at"], name="alert_of_source"),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)), fields=("source", "kind"), name="alert_open_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="alertrecipient",
            constraint=models.UniqueConstraint(
                fields=("department", "channel", "address"), name="alert_recipient_once", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="alertdelivery",
            index=models.Index(condition=models.Q(("status", "waiting")), fields=["due_at"], name="alert_delivery_due"),
        ),
        migrations.AddConstraint(
            model_name="alertdelivery",
            constraint=models.UniqueConstraint(fields=("alert", "recipient", "event"), name="alert_told_once"),
        ),
        migrations.AddConstraint(
            model_name="futurehour",
            constraint=models.UniqueConstraint(fields=("source", "hour"), name="future_hour_once"),
        ),
        migrations.AddConstraint(
            model_name="receivedhour",
            constraint=models.UniqueConstraint(fields=("source", "hour", "door"), name="received_hour_once"),
        ),
        migrations.AddConstraint(
            model_name="receivedhour",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "n_items",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("n_stored"), "+", models.F("n_duplicate")
                                ),
                                "+",
                                models.F("n_quarantined"),
                            ),
                            "+",
                            models.F("n_suppressed"),
                        ),
                    )
                ),
                name="received_hour_equation",
            ),
        ),
        migrations.AddConstraint(
            model_name="rejectedhour",
            constraint=models.UniqueConstraint(
                fields=("source", "hour", "status"), name="rejected_hour_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="removedbyretention",
            constraint=models.UniqueConstraint(fields=("source", "kind", "day"), name="removed_once"),
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.UniqueConstraint(fields=("source",), name="retention_rule_once", nulls_distinct=False),
        ),
        migrations.RunSQL(ACCOUNT, "DROP VIEW ingestion_account;"),
        migrations.RunSQL(IMPORT_ACCOUNT, "DROP VIEW ingestion_importaccount;"),
    ]
