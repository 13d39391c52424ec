"""The sample company's departments and systems, and who may see what of them."""

from __future__ import annotations

from django.db import transaction
from guardian.shortcuts import assign_perm

from cdp_site.core.models import Department
from cdp_site.operations import demo_company
from cdp_site.operations.company.feeds import APP, CALLS, LINE, POS, WEB
from ingestion import sources
from ingestion.models import Source
from profiles.models import EventType, KindOfData, Trait, TraitGroup

BY = "system:generate_company"

MARKETING, CARE = "marketing", "care"

#: slug, name, kind, department that owns it (empty: all see it), trust rank (the lower number wins in golden records:
#: what customers keep up themselves before what somebody keyed in).
_SOURCES: tuple[tuple[str, str, str, str, int], ...] = (
    (WEB, "Web shop", Source.Kind.SHOP, MARKETING, 20),
    (APP, "Mobile app", Source.Kind.APP, MARKETING, 25),
    (POS, "Stores (POS)", Source.Kind.POS, "", 40),
    (CALLS, "Call centre", Source.Kind.CALL_CENTRE, CARE, 30),
    (LINE, "LINE official account", Source.Kind.LINE, MARKETING, 70),
)

#: What a department is shown of another's: agents answer questions about orders of the web shop.
_GRANTS = ((CARE, WEB),)

#: Event types that the standards do not name -> (name in Thai, kind of data).
_EVENT_TYPES = {
    "Signed Up": ("สมัครสมาชิกเว็บ", KindOfData.BEHAVIOURAL),
    "Application Installed": ("ติดตั้งแอป", KindOfData.BEHAVIOURAL),
    "Application Opened": ("เปิดแอป", KindOfData.BEHAVIOURAL),
    "Push Notification Tapped": ("แตะการแจ้งเตือนของแอป", KindOfData.BEHAVIOURAL),
    "Message Sent": ("เราตอบข้อความ", KindOfData.QUALITATIVE),
    "Friend Added": ("เพิ่มเพื่อนใน LINE", KindOfData.BEHAVIOURAL),
    "Friend Blocked": ("บล็อกใน LINE", KindOfData.BEHAVIOURAL),
}

#: Event types that concern one department only.
_EVENT_TYPES_OF = {MARKETING: ("Push Notification Tapped",)}

#: How people live belongs to marketing, which asked for it in the app.
_LIFESTYLE = "lifestyle"
_TRAITS: tuple[tuple[str, str, str, str], ...] = (
    ("home_type", "Home", "ที่อยู่อาศัย", Trait.DataType.TEXT),
    ("pet", "Pet", "สัตว์เลี้ยง", Trait.DataType.TEXT),
    ("family_size", "People in the household", "จำนวนคนในบ้าน", Trait.DataType.NUMBER),
    ("shoe_size", "Shoe size", "เบอร์รองเท้า", Trait.DataType.NUMBER),
)


@transaction.atomic
def establish() -> dict[str, Source]:
    """Make the departments, sources, names and grants of the sample company where they are missing.

    Returns:
        The company's sources by short name. Doing it again changes nothing.
    """
    departments = demo_company.departments()
    found = {source.slug: source for source in Source.objects.filter(slug__in=[row[0] for row in _SOURCES])}
    for slug, name, kind, department, trust_rank in _SOURCES:
        if slug not in found:
            source = sources.create(name=name, department=departments.get(department), kind=kind, by=BY, slug=slug)
            source.trust_rank = trust_rank
            source.save(update_fields=["trust_rank"])
            found[slug] = source
    for department, slug in _GRANTS:
        assign_perm("ingestion.view_source", departments[department].group, found[slug])
    for name, (name_th, kind_of_data) in _EVENT_TYPES.items():
        EventType.objects.get_or_create(name=name, defaults={"name_th": name_th, "kind_of_data": kind_of_data})
    for department, names in _EVENT_TYPES_OF.items():
        EventType.objects.filter(name__in=names).update(department=departments[department])
    _lifestyle(departments[MARKETING])
    return found


def _lifestyle(owner: Department) -> None:
    """Make the group of traits that tells how people live."""
    group, _ = TraitGroup.objects.get_or_create(
        slug=_LIFESTYLE,
        defaults={
            "name": "Lifestyle",
            "name_th": "ไลฟ์สไตล์",
            "kind_of_data": KindOfData.DESCRIPTIVE,
            "department": owner,
            "position": 35,
        },
    )
    for position, (name, label, label_th, data_type) in enumerate(_TRAITS, 1):
        Trait.objects.get_or_create(
            name=name,
            defaults={
                "label": label,
                "label_th": label_th,
                "group": group,
                "data_type": data_type,
                "position": position,
            },
        )
