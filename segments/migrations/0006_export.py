import django.db.models.deletion
from django.db import migrations, models

HELD_OUT, EXPORTED = "Segment Held Out", "Segment Exported"


def name_the_trace(apps, schema_editor):
    """The touchpoint of those who stay out of a list, beside that of those who are on it."""
    types = apps.get_model("profiles", "EventType").objects
    of_list = types.filter(name=EXPORTED).first()
    kind = of_list.kind_of_data if of_list else "behavioural"
    types.get_or_create(name=HELD_OUT, defaults={"name_th": "ถูกกันออกจากรายชื่อเพื่อวัดผล", "kind_of_data": kind})


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0003_standard_traits_and_events"),
        ("segments", "0004_computed_traits"),
        ("segments", "0007_drafts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="segmentexport",
            name="channel",
            field=models.CharField(
                blank=True,
                choices=[
                    ("email", "e-mail"),
                    ("sms", "SMS"),
                    ("phone", "phone call"),
                    ("line", "LINE"),
                    ("push", "app notification"),
                    ("post", "post"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(model_name="segmentexport", name="n_exported", field=models.IntegerField(default=0)),
        migrations.AlterField(model_name="segmentexport", name="n_members", field=models.IntegerField(default=0)),
        migrations.AddField(
            model_name="segmentexport",
            name="format",
            field=models.CharField(
                choices=[
                    ("csv", "CSV"),
                    ("xlsx", "Excel workbook"),
                    ("google", "Google Ads: customer list"),
                    ("meta", "Meta: custom audience"),
                    ("tiktok", "TikTok: customer file"),
                    ("line_email", "LINE Ads: e-mail addresses"),
                    ("line_phone", "LINE Ads: phone numbers"),
                    ("line_users", "LINE Official Account: user IDs"),
                ],
                default="csv",
                max_length=10,
            ),
        ),
        migrations.AddField(model_name="segmentexport", name="columns", field=models.JSONField(default=list)),
        migrations.AddField(
            model_name="segmentexport", name="holdout_percent", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="segmentexport",
            name="outcome",
            field=models.CharField(
                choices=[("orders", "placed an order"), ("visits", "came by on the web or in the app")],
                default="orders",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="segmentexport",
            name="status",
            field=models.CharField(
                choices=[
                    ("waiting", "waiting to start"),
                    ("running", "being made"),
                    ("ready", "ready"),
                    ("failed", "failed"),
                ],
                default="waiting",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="segmentexport", name="problem", field=models.CharField(blank=True, max_length=30)
        ),
        migrations.AddField(
            model_name="segmentexport", name="attempts", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.AddField(model_name="segmentexport", name="lease_until", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="segmentexport", name="chosen_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="segmentexport", name="sources", field=models.JSONField(default=list, null=True)
        ),
        migrations.AddField(model_name="segmentexport", name="parts", field=models.JSONField(default=list)),
        migrations.AddField(model_name="segmentexport", name="made_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="segmentexport", name="n_done", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="segmentexport", name="n_held_out", field=models.IntegerField(default=0)),
        migrations.AddField(
            model_name="segmentexport", name="stored_as", field=models.CharField(blank=True, max_length=32)
        ),
        migrations.AddField(model_name="segmentexport", name="size", field=models.BigIntegerField(default=0)),
        migrations.AddField(
            model_name="segmentexport",
            name="removed_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("expired", "its 24 hours were over"),
                    ("asked", "who asked for it removed it"),
                    ("withdrawn", "somebody on it may no longer be written to"),
                    ("erased", "somebody on it was erased"),
                ],
                max_length=9,
            ),
        ),
        migrations.AddField(model_name="segmentexport", name="n_fetched", field=models.PositiveIntegerField(default=0)),
        migrations.AddConstraint(
            model_name="segmentexport",
            constraint=models.CheckConstraint(
                condition=models.Q(("holdout_percent__lte", 50)), name="export_holdout_share"
            ),
        ),
        migrations.AddIndex(
            model_name="segmentexport",
            index=models.Index(
                condition=models.Q(("status__in", ["waiting", "running"])),
                fields=["lease_until"],
                name="export_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="segmentexport",
            index=models.Index(
                condition=models.Q(("stored_as", ""), _negated=True), fields=["made_at"], name="export_kept"
            ),
        ),
        migrations.CreateModel(
            name="ExportMember",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("is_held_out", models.BooleanField(null=True)),
                ("is_traced", models.BooleanField(default=False)),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="segments.segmentexport",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="export_memberships",
                        to="profiles.sourcerecord",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("export", "record"), name="export_member_once")],
            },
        ),
        migrations.RunPython(name_the_trace, migrations.RunPython.noop),
    ]
