"""What happens on LINE, by its names in both languages."""

from django.db import migrations

EVENTS = (
    ("LINE Followed", "เพิ่มเพื่อนใน LINE", "behavioural"),
    ("LINE Unfollowed", "บล็อก LINE", "behavioural"),
    ("LINE Button Tapped", "แตะปุ่มใน LINE", "behavioural"),
    ("LINE Video Watched", "ดูวิดีโอใน LINE จบ", "behavioural"),
    ("LINE Account Linked", "เชื่อมบัญชี LINE", "behavioural"),
)


def name(apps, schema_editor):
    model = apps.get_model("profiles", "EventType")
    for event, name_th, kind in EVENTS:
        known, is_new = model.objects.get_or_create(name=event, defaults={"name_th": name_th, "kind_of_data": kind})
        if not is_new and not known.name_th:
            known.name_th = name_th
            known.save(update_fields=["name_th"])


class Migration(migrations.Migration):
    dependencies = [("profiles", "0007_catalogue")]

    operations = [migrations.RunPython(name, migrations.RunPython.noop)]
