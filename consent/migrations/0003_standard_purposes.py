"""Purposes that every retailer has; a company edits them in the admin."""

from django.db import migrations

PURPOSES = [
    ("marketing", "Marketing", "การตลาด", "consent", "Offers and news", "ข้อเสนอและข่าวสาร"),
    (
        "analytics",
        "Personalisation",
        "การวิเคราะห์เพื่อนำเสนอเฉพาะบุคคล",
        "consent",
        "Profiling to show what fits",
        "วิเคราะห์ข้อมูลเพื่อแนะนำสิ่งที่เหมาะกับคุณ",
    ),
    (
        "service",
        "Orders and service",
        "คำสั่งซื้อและบริการ",
        "contract",
        "Delivery, call-backs and questions about an order",
        "การจัดส่ง การติดต่อกลับ และคำถามเกี่ยวกับคำสั่งซื้อ",
    ),
]


def create(apps, schema_editor):
    model = apps.get_model("consent", "Purpose")
    for place, (slug, name, name_th, basis, text, text_th) in enumerate(PURPOSES, start=1):
        model.objects.create(
            slug=slug,
            name=name,
            name_th=name_th,
            basis=basis,
            description=text,
            description_th=text_th,
            position=10 * place,
        )


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_append_only_ledger")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
