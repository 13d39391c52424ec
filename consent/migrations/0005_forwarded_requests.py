"""Requests under the law that systems of the company pass on."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0004_reverted_imports"),
        ("ingestion", "0008_pulls"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="datasubjectrequest",
            name="identity_checked",
            field=models.CharField(
                choices=[
                    ("in_person", "Came in person and showed a document"),
                    ("known_channel", "Answered on a phone number or e-mail address that we already had"),
                    ("document_seen", "Sent a document, which was looked at and not kept"),
                    ("representative", "A representative with a written authority"),
                    ("system", "Asked through a system that knows the customer's account"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="datasubjectrequest",
            name="requested_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.CreateModel(
            name="ForwardedRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.CharField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("access", "copy of the data"),
                            ("erasure", "erasure"),
                            ("erasure_of_source", "erasure of everybody whom the source brought"),
                        ],
                        max_length=20,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("record", models.CharField(blank=True, max_length=200)),
                ("subject", models.UUIDField(null=True)),
                ("evidence", models.JSONField(default=dict)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="forwarded",
                        to="consent.datasubjectrequest",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, to="ingestion.source"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)), fields=["received_at"], name="forwarded_open"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "external_id"), name="forwarded_request_once")
                ],
            },
        ),
    ]
