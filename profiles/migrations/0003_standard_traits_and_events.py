"""The traits and event types that the standards name (Segment's specs); others are discovered by the digest."""

from django.db import migrations

GROUPS = [
    ("identity", "Identity", "ตัวตน", "identity"),
    ("contact", "Contact", "ช่องทางติดต่อ", "identity"),
    ("descriptive", "About the customer", "เกี่ยวกับลูกค้า", "descriptive"),
    ("behavioural", "Habits", "พฤติกรรม", "behavioural"),
    ("qualitative", "Attitudes and opinions", "ทัศนคติและความคิดเห็น", "qualitative"),
    ("other", "Other", "อื่น ๆ", "descriptive"),
]
TRAITS = [
    ("title", "Title", "คำนำหน้า", "identity", "text"),
    ("first_name", "First name", "ชื่อ", "identity", "text"),
    ("last_name", "Last name", "นามสกุล", "identity", "text"),
    ("name", "Name", "ชื่อ-นามสกุล", "identity", "text"),
    ("display_name", "Display name", "ชื่อที่แสดง", "identity", "text"),
    ("birth_date", "Date of birth", "วันเกิด", "identity", "date"),
    ("gender", "Gender", "เพศ", "identity", "text"),
    ("citizen_id_last4", "National ID, last four", "เลขบัตรประชาชน 4 ตัวท้าย", "identity", "text"),
    ("email", "E-mail", "อีเมล", "contact", "text"),
    ("phone", "Phone", "โทรศัพท์", "contact", "text"),
    ("line_id", "LINE ID", "ไอดี LINE", "contact", "text"),
    ("address", "Address", "ที่อยู่", "contact", "text"),
    ("district", "District", "อำเภอ/เขต", "contact", "text"),
    ("city", "City", "เมือง", "contact", "text"),
    ("province", "Province", "จังหวัด", "contact", "text"),
    ("postcode", "Postcode", "รหัสไปรษณีย์", "contact", "text"),
    ("country", "Country", "ประเทศ", "contact", "text"),
    ("member_id", "Member ID", "รหัสสมาชิก", "identity", "text"),
    ("member_tier", "Member tier", "ระดับสมาชิก", "behavioural", "text"),
    ("language", "Language", "ภาษา", "descriptive", "text"),
    ("occupation", "Occupation", "อาชีพ", "descriptive", "text"),
    ("company", "Company", "บริษัท", "descriptive", "text"),
    ("website", "Website", "เว็บไซต์", "descriptive", "text"),
    ("created_at", "Customer since", "เป็นลูกค้าตั้งแต่", "behavioural", "date"),
    ("satisfaction", "Satisfaction", "ความพึงพอใจ", "qualitative", "number"),
    ("interests", "Interests", "ความสนใจ", "qualitative", "list"),
]
EVENTS = [
    ("Page Viewed", "ดูหน้าเว็บ", "behavioural"),
    ("Screen Viewed", "ดูหน้าจอแอป", "behavioural"),
    ("Product Viewed", "ดูสินค้า", "behavioural"),
    ("Products Searched", "ค้นหาสินค้า", "behavioural"),
    ("Product Added", "หยิบใส่ตะกร้า", "behavioural"),
    ("Product Removed", "นำออกจากตะกร้า", "behavioural"),
    ("Checkout Started", "เริ่มชำระเงิน", "behavioural"),
    ("Order Completed", "สั่งซื้อสำเร็จ", "behavioural"),
    ("Order Updated", "แก้ไขคำสั่งซื้อ", "behavioural"),
    ("Order Refunded", "คืนเงิน", "behavioural"),
    ("Order Cancelled", "ยกเลิกคำสั่งซื้อ", "behavioural"),
    ("Email Delivered", "ส่งอีเมลถึงแล้ว", "behavioural"),
    ("Email Opened", "เปิดอีเมล", "behavioural"),
    ("Email Link Clicked", "คลิกลิงก์ในอีเมล", "behavioural"),
    ("Call Ended", "โทรเข้าศูนย์บริการ", "qualitative"),
    ("Message Received", "ส่งข้อความถึงเรา", "qualitative"),
    ("Survey Answered", "ตอบแบบสอบถาม", "qualitative"),
    ("Consent Granted", "ให้ความยินยอม", "behavioural"),
    ("Consent Refused", "ไม่ให้ความยินยอม", "behavioural"),
    ("Consent Withdrawn", "ถอนความยินยอม", "behavioural"),
    ("Segment Exported", "ถูกส่งออกในกลุ่มเป้าหมาย", "behavioural"),
]


def create(apps, schema_editor):
    group_model = apps.get_model("profiles", "TraitGroup")
    trait_model = apps.get_model("profiles", "Trait")
    event_model = apps.get_model("profiles", "EventType")
    groups = {
        slug: group_model.objects.create(slug=slug, name=name, name_th=name_th, kind_of_data=kind, position=10 * place)
        for place, (slug, name, name_th, kind) in enumerate(GROUPS, start=1)
    }
    trait_model.objects.bulk_create(
        trait_model(name=name, label=label, label_th=label_th, group=groups[group], data_type=kind, position=place)
        for place, (name, label, label_th, group, kind) in enumerate(TRAITS, start=1)
    )
    event_model.objects.bulk_create(
        event_model(name=name, name_th=name_th, kind_of_data=kind) for name, name_th, kind in EVENTS
    )


class Migration(migrations.Migration):
    dependencies = [("profiles", "0002_append_only_and_search")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
