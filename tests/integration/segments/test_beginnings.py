"""The nine segments to begin with, on people each of whom is one of them or nearly so."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cdp_site.core.access import EVERYTHING
from ingestion import imports, mappings
from ingestion.files import importer
from ingestion.models import Source
from profiles import digest
from segments import audience, references
from segments.builder.beginnings import BEGINNINGS, of_key
from tests.customers import Tell, identify, profile_of, track

pytestmark = pytest.mark.django_db
Message = Callable[[str], dict[str, Any]]


def found_by(key: str) -> set[int]:
    beginning = of_key(key)
    assert beginning is not None
    return set(audience.member_ids(audience.Question.of(references.parsed(beginning.definition), EVERYTHING)))


def order(days: float, total: int = 500, event: str = "Order Completed", number: str = "", **said: Any) -> Message:
    """`days` before LATELY."""

    def of(user: str) -> dict[str, Any]:
        order_id = f"{user}-{number or days}"
        return track(user, event, hours=days * 24, order_id=order_id, total=total, currency="THB", **said)

    return of


def added(days: float) -> Message:
    return lambda user: track(user, "Product Added", hours=days * 24, sku="A1")


def born(day: str) -> Message:
    return lambda user: identify(user, birth_date=day)


JUST = 1 / 24 / 60
"""A minute, of a day."""
OFF = {"discount": 50}
LINES_OFF = {"products": [{"sku": "A1", "price": 90}, {"sku": "B2", "price": 80, "discount": 10}]}
COUPON_OFF = {"products": [{"sku": "A1", "price": 90, "coupon_discount": 10}]}
CAST: Mapping[str, tuple[set[str], list[Message]]] = {
    "never bought": (set(), []),
    "new": ({"new"}, [order(30 - JUST)]),
    "no longer new": ({"one-time"}, [order(30)]),
    "new, but given up": (set(), [order(2, number="1"), order(1, 500, "Order Cancelled", number="1")]),
    "repeat": ({"repeat"}, [order(400), order(90 - JUST)]),
    "twice at once": ({"repeat"}, [order(5, number="1"), order(5 + JUST, number="2")]),
    "lapsing": ({"lapsing"}, [order(400), order(90)]),
    "nearly lapsed": ({"lapsing"}, [order(400), order(180 - JUST)]),
    "neither lapsing nor lost": (set(), [order(400), order(180)]),
    "once, long ago": ({"one-time"}, [order(120)]),
    "lost": ({"lost"}, [order(500), order(365)]),
    "lost after one order": ({"lost", "one-time"}, [order(366)]),
    "spent just enough": ({"high-value", "repeat"}, [order(60, 12_000), order(50, 8_000)]),
    "spent too little": ({"repeat"}, [order(60, 12_000), order(50, 7_999)]),
    "spent much too long ago": ({"repeat"}, [order(366, 12_000), order(50, 8_000)]),
    "was given back": (
        {"repeat"},
        [order(60, 12_000, number="1"), order(50, 8_000), order(40, 1, "Order Refunded", number="1")],
    ),
    "never without a discount": ({"discount-only", "repeat"}, [order(60, **OFF), order(50, **OFF)]),
    "once without a discount": ({"repeat"}, [order(60, **OFF), order(50, **OFF), order(40)]),
    "once with a discount of nothing": ({"repeat"}, [order(60, **OFF), order(50, discount=0)]),
    "off a line of each": ({"discount-only", "repeat"}, [order(60, **LINES_OFF), order(50, **LINES_OFF)]),
    "off by a coupon, too": ({"discount-only", "repeat"}, [order(60, **COUPON_OFF), order(50, **OFF)]),
    "with a line of one at full price": ({"repeat"}, [order(60, **LINES_OFF), order(50, products=[{"sku": "A1"}])]),
    "one order with a discount": ({"one-time"}, [order(60, **OFF)]),
    "left a basket": ({"cart-left"}, [added(3 - JUST)]),
    "left a basket after an order": ({"cart-left", "one-time"}, [order(120), added(1)]),
    "left a basket too long ago": (set(), [added(3)]),
    "ordered what was in it": ({"new"}, [added(2), order(1)]),
    "birthday today": ({"birthday"}, [born("1990-11-01")]),
    "birthday at the end of the month": ({"birthday"}, [born("1961-11-30")]),
    "birthday yesterday": (set(), [born("1990-10-31")]),
    "birthday next month": (set(), [born("1990-12-01")]),
}


@pytest.mark.usefixtures("clock")
def test_each_finds_its_people_and_no_others(tell: Tell, web_shop: Source) -> None:
    users = {f"b{number}": name for number, name in enumerate(CAST)}
    for user, name in users.items():
        messages = [message(user) for message in CAST[name][1]]
        tell(web_shop, identify(user, firstName="มานี") | {"messageId": f"name-{user}"}, *messages)
    names = {profile_of(web_shop, user).pk: name for user, name in users.items()}

    found = {one.key: {names[profile_id] for profile_id in found_by(one.key)} for one in BEGINNINGS}

    assert found == {one.key: {name for name, (keys, _said) in CAST.items() if one.key in keys} for one in BEGINNINGS}
    assert all(found.values())


RECEIPTS = """เลขที่ใบเสร็จ,วันที่,เวลา,รหัสสมาชิก,รหัสสินค้า,จำนวน,ราคาป้าย,ส่วนลด,คูปอง,ราคารวม
R1,20/10/69,14:05,M1,SOCK-01,1,79,0,,79
R1,20/10/69,14:05,M1,TS-RED-M,1,1390,100,PAYDAY,1290
R2,22/10/69,14:05,M1,CAP-09,1,250,51,,199
R3,20/10/69,14:05,M2,CAP-09,1,250,51,,199
R4,22/10/69,14:05,M2,CAP-09,1,250,0,,250
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("clock", "own_store")
def test_a_discount_on_a_line_of_a_receipt_is_one_of_its_order(pos: Source) -> None:
    received = imports.receive(source=pos, file_name="r.csv", chunks=[RECEIPTS.encode()], by="system:test")
    preset = mappings.find("pos-receipts", received.columns)
    imports.start(file_import=received, definition=preset, mapping_name="pos-receipts", by="system:test")
    importer.run(str(received.pk))
    digest.drain()

    assert found_by("repeat") == {profile_of(pos, "M1").pk, profile_of(pos, "M2").pk}
    assert found_by("discount-only") == {profile_of(pos, "M1").pk}
