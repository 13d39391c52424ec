"""What the staff of the sample company have already done: segments, scripts and computed traits of the marketer, a
deletion request to decide on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from cdp_site.core.models import Department, Role, User
from cdp_site.operations.company.catalogue import CATEGORIES, COLORS, Wording
from cdp_site.operations.company.feeds import WEB
from cdp_site.operations.company.organisation import CARE, MARKETING
from consent import requests
from consent.models import DataSubjectRequest
from profiles.models import Profile, SourceRecord, TraitGroup
from segments import authoring
from segments.models import ComputedTrait, Script, Segment
from segments.scripts import authoring as scripts
from segments.traits import authoring as traits

#: Who wrote the deletion request down, so that the one compliance login of the demo can be the second person.
COLLEAGUE = "compliance-colleague"

_EVER = {"kind": "ever"}


def _days(number: int) -> dict[str, Any]:
    return {"kind": "rolling", "n": number, "unit": "days"}


def _either_language(name: str, wording: Wording) -> dict[str, Any]:
    """A filter on a property that the shop sends in the visitor's language."""
    return {"property": name, "operator": "in", "value": [wording.english, wording.thai]}


def _touchpoint(event: str, bound: str, n: int, window: dict[str, Any], *filters: dict[str, Any]) -> dict[str, Any]:
    count = {"bound": bound, "n": n}
    return {"kind": "touchpoint", "event": event, "count": count, "window": window, "filters": list(filters)}


def _orders(measure: str, operator: str, value: int, window: dict[str, Any]) -> dict[str, Any]:
    compared = {"measure": measure, "operator": operator, "value": value}
    return {"kind": "order_total", **compared, "currency": "THB", "window": window}


_MAY_MAIL = {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"}

#: (name, description, conditions that must all hold)
SEGMENTS: tuple[tuple[str, str, list[dict[str, Any]]], ...] = (
    (
        "ดูรองเท้าสีแดงบ่อย · Keen on red shoes",
        "ดูรองเท้าสีแดงมากกว่า 4 ครั้งใน 7 วัน · Viewed red shoes more than 4 times in 7 days",
        [
            _touchpoint(
                "Product Viewed",
                "at_least",
                5,
                _days(7),
                _either_language("color", COLORS["RED"]),
                _either_language("category", CATEGORIES["shoes"]),
            )
        ],
    ),
    (
        "ทิ้งตะกร้า ส่งอีเมลได้ · Left a basket, may be mailed",
        "หยิบใส่ตะกร้าใน 7 วันแต่ไม่ได้ซื้อ · Added to the basket within 7 days and bought nothing",
        [
            _touchpoint("Product Added", "at_least", 1, _days(7)),
            _touchpoint("Order Completed", "exactly", 0, _days(7)),
            _MAY_MAIL,
        ],
    ),
    (
        "ลูกค้าคนสำคัญ · Best customers",
        "ซื้อรวม 60,000 บาทขึ้นไปใน 12 เดือน · 60,000 baht and more in 12 months",
        [_orders("sum", "at_least", 60_000, _days(365))],
    ),
    (
        "เคยซื้อแล้วเงียบไป · Lapsing buyers",
        "เคยซื้อ แต่ไม่ซื้ออีกใน 180 วัน · Bought before, nothing in the last 180 days",
        [_orders("count", "at_least", 1, _EVER), _touchpoint("Order Completed", "exactly", 0, _days(180))],
    ),
    (
        "ไม่พอใจเมื่อเร็ว ๆ นี้ · Recently unhappy",
        "ให้คะแนนแบบสอบถามไม่เกิน 6 ใน 180 วัน · Scored 6 or less in a survey within 180 days",
        [
            _touchpoint(
                "Survey Answered", "at_least", 1, _days(180), {"property": "score", "operator": "at_most", "value": 6}
            )
        ],
    ),
)

#: Place of a segment in SEGMENTS -> what agents say to its customers, in Thai and English; the first comes first.
SCRIPTS: tuple[tuple[int, str, str], ...] = (
    (
        4,
        "ขออภัยที่ครั้งก่อนไม่ประทับใจ ถามว่าเกิดอะไรขึ้น ฟังให้จบ แล้วเสนอส่งฟรีในคำสั่งซื้อถัดไป",
        "Say sorry for the last time, ask what happened and hear them out. Offer free delivery of the next order.",
    ),
    (
        2,
        "ทักด้วยชื่อ ขอบคุณที่อุดหนุนเสมอ แจ้งว่าสมาชิกคนสำคัญเลือกเวลาจัดส่งได้เอง",
        "Greet them by name and thank them for their loyalty. Best customers choose the hour of delivery themselves.",
    ),
    (
        1,
        "ถามว่าติดใจอะไรกับสินค้าในตะกร้า เรื่องขนาดหรือราคา แล้วบอกว่าเปลี่ยนคืนได้ภายใน 30 วัน",
        "Ask what kept them from what is in the basket: size, price? It can be returned within 30 days.",
    ),
)


#: (name, name in Thai, what is calculated, of which property, what it is picked from)
TRAITS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    (
        "Products viewed in 30 days",
        "จำนวนครั้งที่ดูสินค้าใน 30 วัน",
        "count",
        "",
        _touchpoint("Product Viewed", "at_least", 1, _days(30)),
    ),
    (
        "Favourite category",
        "หมวดสินค้าที่ดูบ่อยที่สุด",
        "most_frequent",
        "category",
        _touchpoint("Product Viewed", "at_least", 1, _EVER),
    ),
    ("Bought in all", "ยอดซื้อสะสม", "sum", "", _orders("sum", "at_least", 0, _EVER)),
    ("Days since the last order", "จำนวนวันที่ไม่ได้ซื้อ", "days_since", "", _orders("sum", "at_least", 0, _EVER)),
)


@transaction.atomic
def add(*, marketer: User) -> None:
    """Write the examples into a database that holds a sample company; what is there already stays as it is.

    Args:
        marketer: who the segments are by; they belong to the department of marketing.
    """
    department = Department.objects.get(slug=MARKETING)
    known = set(Segment.objects.filter(department=department).values_list("name", flat=True))
    for name, description, conditions in SEGMENTS:
        if name not in known:
            authoring.create(
                name=name,
                description=description,
                department=department,
                definition={"version": 1, "where": {"kind": "all", "of": conditions}},
                by=marketer,
            )
    if not Script.objects.exists():
        _write_scripts(marketer, department)
    if not ComputedTrait.objects.exists():
        _write_traits(marketer)
    if not DataSubjectRequest.objects.exists():
        _ask_for_deletion()


def _write_scripts(marketer: User, department: Department) -> None:
    for place, text_th, text in SCRIPTS:
        segment = Segment.objects.get(department=department, name=SEGMENTS[place][0])
        scripts.write(segment=segment, text=text, text_th=text_th, is_active=True, seen=0, by=marketer)


def _write_traits(marketer: User) -> None:
    for name, name_th, calculation, property_name, pick in TRAITS:
        traits.create(
            name=name,
            name_th=name_th,
            description="",
            group=TraitGroup.objects.get(slug="behavioural"),
            definition={
                "version": 2,
                "calculation": calculation,
                "property": property_name,
                "per_channel": False,
                "where": {"kind": "any", "of": [pick]},
            },
            by=marketer,
        )


def _ask_for_deletion() -> None:
    """Record that a customer of the web shop asked two days ago for everything to be deleted."""
    record = SourceRecord.objects.filter(source__slug=WEB, kind=SourceRecord.Kind.IDENTIFIED).latest("external_id")
    requests.receive(
        profile=Profile.objects.get(memberships__record=record, memberships__valid_to__isnull=True),
        received_at=timezone.now() - timedelta(days=2),
        identity_checked=DataSubjectRequest.IdentityCheck.KNOWN_CHANNEL,
        note="เลิกใช้บริการแล้ว ขอลบข้อมูลทั้งหมด ยืนยันตัวตนทางโทรศัพท์ที่ลงทะเบียนไว้",
        by=_colleague(),
    )


def _colleague() -> User:
    """The second compliance officer, who has no password and cannot log in."""
    found = User.objects.filter(username=COLLEAGUE).first()
    if found is None:
        found = User(
            username=COLLEAGUE,
            first_name="วรรณา",
            last_name="พิทักษ์สิทธิ์",
            role=Role.COMPLIANCE,
            department=Department.objects.get(slug=CARE),
            language="th",
        )
        found.set_unusable_password()
        found.save()
    return found
