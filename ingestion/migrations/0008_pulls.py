import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0007_source_health"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("fileimport", "arrived_as", models.CharField(blank=True, default="", max_length=10), False),
        migrations.AddField("fileimport", "sheets", models.JSONField(default=list)),
        migrations.AddField("fileimport", "sheet", models.CharField(blank=True, default="", max_length=100), False),
        migrations.AddField(
            "fileimport", "original_as", models.CharField(blank=True, default="", max_length=80), False
        ),
        migrations.CreateModel(
            name="RowDigests",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("digests", models.BinaryField()),
                (
                    "file_import",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="ingestion.fileimport"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Pull",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("address", models.BinaryField()),
                ("shown_address", models.CharField(max_length=300)),
                ("relation", models.TextField()),
                ("cursor_column", models.CharField(max_length=128)),
                ("mapping_name", models.CharField(max_length=60)),
                ("every_minutes", models.PositiveIntegerField(default=60)),
                ("is_active", models.BooleanField(default=True)),
                ("cursor", models.CharField(blank=True, max_length=60)),
                ("last_rows", models.BinaryField(default=bytes)),
                ("next_at", models.DateTimeField()),
                ("lease_until", models.DateTimeField(null=True)),
                ("last_run_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=20)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "last_import",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="ingestion.fileimport"
                    ),
                ),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="ingestion.source")),
            ],
            options={"ordering": ["name", "pk"]},
        ),
        migrations.CreateModel(
            name="WatchedFolder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=400)),
                ("pattern", models.CharField(default="*", max_length=100)),
                ("mapping_name", models.CharField(max_length=60)),
                ("is_active", models.BooleanField(default=True)),
                ("sizes", models.JSONField(default=dict)),
                ("last_look_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=20)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="ingestion.source")),
            ],
            options={"ordering": ["path", "pk"]},
        ),
        migrations.CreateModel(
            name="ArrivedFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.BinaryField(max_length=32)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "file_import",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to="ingestion.fileimport"
                    ),
                ),
                (
                    "folder",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="ingestion.watchedfolder"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("folder", "sha256"), name="arrived_once")],
            },
        ),
    ]
