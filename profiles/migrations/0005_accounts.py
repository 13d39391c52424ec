import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The companies, households and teams that customers act for (group calls)."""

    dependencies = [("profiles", "0004_pending_resolution")]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("external_id", models.CharField(max_length=200)),
                ("traits", models.JSONField(default=dict)),
                ("trait_times", models.JSONField(default=dict)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="ingestion.source"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("source", "external_id"), name="account_external_id")],
            },
        ),
        migrations.CreateModel(
            name="AccountMembership",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("first_stated_at", models.DateTimeField()),
                ("last_stated_at", models.DateTimeField()),
                ("is_confirmed", models.BooleanField()),
                ("operation_id", models.UUIDField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="profiles.account",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="accounts",
                        to="profiles.sourcerecord",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account"], name="account_members")],
                "constraints": [models.UniqueConstraint(fields=("record", "account"), name="account_membership_once")],
            },
        ),
    ]
