import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cdp_site.core.ids

EVENTS = (
    ("Case Opened", "เปิดเคส"),
    ("Case Handed Over", "ส่งต่อเคส"),
    ("Case Closed", "ปิดเคส"),
    ("Case Reopened", "เปิดเคสอีกครั้ง"),
)
ACTS = [
    ("opened", "opened"),
    ("noted", "noted"),
    ("taken", "taken"),
    ("handed_over", "handed over"),
    ("closed", "closed"),
    ("reopened", "reopened"),
]
DISPOSITIONS = [
    ("answered", "Customer answered"),
    ("not_reached", "Customer not reached"),
    ("waiting_customer", "Waiting for the customer"),
    ("waiting_colleague", "Waiting for a colleague"),
    ("solved", "Solved"),
    ("not_possible", "Cannot be done"),
]


def name_events(apps, schema_editor):
    """What cases leave on the timeline, by its names in both languages."""
    model = apps.get_model("profiles", "EventType")
    for event, name_th in EVENTS:
        model.objects.update_or_create(name=event, defaults={"name_th": name_th, "kind_of_data": "behavioural"})


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_append_only_and_extensions"),
        ("profiles", "0013_calling"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject", models.CharField(max_length=120)),
                (
                    "status",
                    models.CharField(choices=[("open", "open"), ("closed", "closed")], default="open", max_length=6),
                ),
                ("follow_up_on", models.DateField(null=True)),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "assignee",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="cases",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="core.department",
                    ),
                ),
                (
                    "profile",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="profiles.profile"
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cases", to="profiles.sourcerecord"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["assignee", "follow_up_on"],
                        name="case_follow_ups",
                    ),
                    models.Index(
                        condition=models.Q(("assignee__isnull", True), ("status", "open")),
                        fields=["department", "follow_up_on"],
                        name="case_unclaimed",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("status", "closed")),
                            models.Q(("closed_at__isnull", True), ("status", "open")),
                            _connector="OR",
                        ),
                        name="case_closed_iff_closed_at",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=cdp_site.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("act", models.CharField(choices=ACTS, max_length=11)),
                ("disposition", models.CharField(blank=True, choices=DISPOSITIONS, max_length=17)),
                ("text", models.TextField(blank=True, max_length=4000)),
                ("follow_up_on", models.DateField(null=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="profiles.case"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="core.department"),
                ),
                (
                    "handed_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                    ),
                ),
            ],
        ),
        migrations.RunPython(name_events, migrations.RunPython.noop),
    ]
