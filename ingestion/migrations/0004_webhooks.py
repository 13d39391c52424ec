"""Webhooks, the relay of LINE's reports, and nonces by which LINE accounts are linked."""

import django.db.models.deletion
from django.db import migrations, models

import cdp_site.core.ids


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0003_source_doors")]

    operations = [
        migrations.AlterField(
            model_name="inboundbatch",
            name="door",
            field=models.CharField(
                choices=[("api", "event API"), ("file", "file import"), ("screen", "screen"), ("webhook", "webhook")],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="LinkNonce",
            fields=[
                ("key", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("user_id", models.BinaryField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="ingestion.source")),
            ],
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("shopify", "Shopify"),
                            ("line", "LINE Messaging API"),
                            ("generic", "signed JSON of any system"),
                        ],
                        max_length=10,
                    ),
                ),
                ("token", models.CharField(max_length=43, unique=True)),
                ("secret", models.BinaryField()),
                ("settings", models.JSONField(default=dict)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_received_at", models.DateTimeField(null=True)),
                ("n_ignored", models.BigIntegerField(default=0)),
                ("relayed_at", models.DateTimeField(null=True)),
                ("relay_failed_at", models.DateTimeField(null=True)),
                ("relay_problem", models.CharField(blank=True, max_length=20)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="webhooks", to="ingestion.source"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="RelayDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("body", models.BinaryField()),
                ("signature", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField(db_index=True)),
                ("webhook", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="ingestion.webhook")),
            ],
        ),
    ]
