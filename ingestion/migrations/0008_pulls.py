import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ingestion", "0007_source_health")]

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
    ]
