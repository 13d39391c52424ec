import django.db.models.deletion
from django.db import migrations, models

import cdp_site.core.ids

# What an operation has to give back. Its rows lie together, so these indexes grow at one place and stay small.
OF_OPERATION = """
CREATE INDEX source_record_of_operation ON profiles_sourcerecord (operation_id) WHERE operation_id IS NOT NULL;
CREATE INDEX order_of_operation ON profiles_order (operation_id) WHERE operation_id IS NOT NULL;
CREATE INDEX touchpoint_of_operation ON profiles_touchpoint (operation_id) WHERE operation_id IS NOT NULL;
"""
DROP_OF_OPERATION = """
DROP INDEX source_record_of_operation;
DROP INDEX order_of_operation;
DROP INDEX touchpoint_of_operation;
"""


class Migration(migrations.Migration):
    dependencies = [("profiles", "0005_accounts")]

    operations = [
        migrations.AddField(model_name="touchpoint", name="operation_id", field=models.UUIDField(null=True)),
        migrations.CreateModel(
            name="RecordShare",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("operation_id", models.UUIDField(null=True)),
                ("attributes", models.JSONField(default=dict)),
                ("attribute_times", models.JSONField(default=dict)),
                ("identifiers", models.JSONField(default=list)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shares", to="profiles.sourcerecord"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("operation_id__isnull", False)),
                        fields=["operation_id"],
                        name="record_share_of_operation",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("record", "operation_id"), name="record_share_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderShare",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("order_id", models.BigIntegerField()),
                ("operation_id", models.UUIDField(null=True)),
                ("before", models.JSONField(null=True)),
                ("statements", models.JSONField(default=list)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("operation_id__isnull", False)),
                        fields=["operation_id"],
                        name="order_share_of_operation",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("order_id", "operation_id"), name="order_share_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TouchpointShare",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("touchpoint_id", models.UUIDField()),
                ("operation_id", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("operation_id__isnull", False)),
                        fields=["operation_id"],
                        name="touchpoint_share_of_operation",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("touchpoint_id", "operation_id"), name="touchpoint_share_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Revert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("operation_id", models.UUIDField(unique=True)),
                ("lifts_denials", models.BooleanField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ready", "waiting to start"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="ready",
                        max_length=8,
                    ),
                ),
                ("foreseen", models.JSONField()),
                ("done", models.JSONField(default=dict)),
                ("actor", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["ready", "running"])),
                        fields=["lease_until"],
                        name="revert_running",
                    )
                ]
            },
        ),
        migrations.RunSQL(OF_OPERATION, DROP_OF_OPERATION),
    ]
