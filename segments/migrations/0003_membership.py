import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

CAUSES = [
    ("event", "something that happened"),
    ("time", "time that passed"),
    ("definition", "a change of the definition"),
    ("merge", "a merge"),
    ("unmerge", "an unmerge"),
    ("erasure", "an erasure"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("profiles", "0017_search"),
        ("segments", "0005_library"),
    ]

    operations = [
        migrations.CreateModel(
            name="PendingMembership",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("aspect", models.CharField(max_length=12)),
                ("subject", models.BigIntegerField(null=True)),
                ("cause", models.CharField(choices=CAUSES, max_length=10)),
                (
                    "profile_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "touchpoint_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SegmentFreshness",
            fields=[
                (
                    "segment",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="freshness",
                        serialize=False,
                        to="segments.segment",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0)),
                ("n_members", models.PositiveIntegerField(default=0)),
                ("evaluated_at", models.DateTimeField(null=True)),
                ("took_ms", models.PositiveIntegerField(null=True)),
                ("due_at", models.DateTimeField()),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "none"),
                            ("unreadable", "the definition cannot be read any more"),
                            ("too_slow", "the evaluation took too long"),
                            ("failed", "the evaluation failed"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["due_at"], name="segment_freshness_due")]},
        ),
        migrations.CreateModel(
            name="SegmentPassage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("entered", models.BooleanField()),
                ("cause", models.CharField(choices=CAUSES, max_length=10)),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="segment_passages",
                        to="profiles.profile",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="passages",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["segment", "at"], name="segment_passage_of_segment"),
                    models.Index(fields=["profile", "at"], name="segment_passage_of_person"),
                ]
            },
        ),
        migrations.CreateModel(
            name="SegmentState",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "segment_id",
                        "profile_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("since", models.DateTimeField()),
                ("next_change_at", models.DateTimeField(null=True)),
                ("is_member", models.BooleanField()),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="segment_states",
                        to="profiles.profile",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="states",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["profile"], name="segment_state_of_person"),
                    models.Index(
                        condition=models.Q(("next_change_at__isnull", False)),
                        fields=["next_change_at"],
                        name="segment_state_due",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("is_member", True), ("next_change_at__isnull", False), _connector="OR"),
                        name="segment_state_of_use",
                    )
                ],
            },
        ),
    ]
