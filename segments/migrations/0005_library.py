import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("core", "0001_initial"),
        ("segments", "0002_scripts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SegmentFolder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "department",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="core.department"),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("department", "name"), name="segment_folder_name", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="segment",
            name="archived_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="segment",
            name="folder",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="segments",
                to="segments.segmentfolder",
            ),
        ),
        migrations.AddField(
            model_name="segment",
            name="owner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="SegmentSize",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("version", models.PositiveIntegerField()),
                ("members", models.PositiveIntegerField()),
                ("entered", models.PositiveIntegerField(null=True)),
                ("left", models.PositiveIntegerField(null=True)),
                (
                    "department",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="core.department"),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sizes", to="segments.segment"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("segment", "department", "day"), name="segment_size_of_a_day", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content_object",
                    models.ForeignKey(
                        db_column="segment_id",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="segments.segment",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.group"),
                ),
                (
                    "permission",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission"),
                ),
            ],
            options={
                "abstract": False,
                "unique_together": {("group", "permission", "content_object")},
            },
        ),
        # Until now the author answered for a segment.
        migrations.RunSQL("UPDATE segments_segment SET owner_id = created_by_id", migrations.RunSQL.noop),
    ]
