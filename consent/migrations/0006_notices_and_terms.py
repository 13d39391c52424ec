"""Notices with versions, how long consents hold, and who gives them for minors."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids
from cdp_site.core.append_only import append_only


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_forwarded_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="consententry", name="by_guardian", field=models.BooleanField(default=False, db_default=False)
        ),
        migrations.AddField(
            model_name="purpose",
            name="is_sharing",
            field=models.BooleanField(
                default=False,
                help_text="A browser that sends Sec-GPC: 1 refuses it (CCPA).",
                verbose_name="sale or sharing of data",
            ),
        ),
        migrations.AddField(
            model_name="purpose",
            name="months",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Empty: until it is withdrawn.",
                null=True,
                verbose_name="consent holds for (months)",
            ),
        ),
        migrations.AddField(
            model_name="purpose",
            name="young",
            field=models.CharField(
                choices=[
                    ("guardian", "A parent or guardian consents"),
                    ("own", "Their own consent is enough: something that a minor may do alone"),
                ],
                default="guardian",
                max_length=10,
                verbose_name="minors",
            ),
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.CharField(max_length=40)),
                ("text", models.TextField()),
                ("text_th", models.TextField()),
                ("published_at", models.DateTimeField()),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "purpose",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="consent.purpose"
                    ),
                ),
            ],
            options={
                "ordering": ["-published_at", "-pk"],
                "constraints": [models.UniqueConstraint(fields=("purpose", "version"), name="notice_version_once")],
            },
        ),
        append_only("consent_notice", erasable=False),
    ]
