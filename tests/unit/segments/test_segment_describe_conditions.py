"""Sentences about measures, sequences, lines of orders, segments, lists, reach and anniversaries."""

from decimal import Decimal

import pytest

from segments.definition import nodes
from segments.definition.describe import describe
from segments.definition.nodes import (
    AttributeCondition,
    Comparison,
    Ever,
    LineMeasure,
    ListCondition,
    MeasureCondition,
    Operator,
    OrderLineCondition,
    PropertyFilter,
    PropertyMeasure,
    ReachableCondition,
    Rolling,
    SegmentCondition,
    SequenceCondition,
    Step,
    TouchpointCondition,
    Unit,
    Within,
)
from segments.definition.words import Names

SEGMENT, LIST = "019ab000-0000-7000-8000-00000000000a", "019ab000-0000-7000-8000-00000000000b"
EN = Names(
    traits={"birth_date": "Date of birth"},
    purposes={"marketing": "News and offers"},
    channels={"sms": "SMS"},
    sources={"web-shop": "Web shop", "till": "Till"},
    segments={SEGMENT: "Lapsing"},
    lists={LIST: "Guests"},
)
TH = Names(
    traits={"birth_date": "วันเกิด"},
    events={"Product Viewed": "ดูสินค้า", "Product Added": "ใส่ตะกร้า", "Order Completed": "สั่งซื้อสำเร็จ"},
    purposes={"marketing": "ข่าวสาร"},
    channels={"sms": "SMS"},
    sources={"web-shop": "เว็บ", "till": "หน้าร้าน"},
    segments={SEGMENT: "ลูกค้าที่กำลังหายไป"},
    lists={LIST: "แขกในงาน"},
)
RED = PropertyFilter("color", Comparison(Operator.IS, "red"))
MONTH = Rolling(30, Unit.DAYS)


def amount(operator: Operator, value: int) -> Comparison:
    return Comparison(operator, Decimal(value))


@pytest.mark.parametrize(
    ("condition", "english", "thai"),
    [
        (
            MeasureCondition(
                "Product Viewed", PropertyMeasure.SUM, "price", amount(Operator.MORE_THAN, 5000), MONTH, (RED,)
            ),
            (
                "whose total price, over the times they viewed a product (colour is “red”) in the last 30 days, "
                "is more than 5,000"
            ),
            "ผลรวมของราคา เมื่อดูสินค้า (สีเป็น “red”) ใน 30 วันที่ผ่านมา มากกว่า 5,000",
        ),
        (
            MeasureCondition(
                "Product Viewed", PropertyMeasure.MOST_FREQUENT, "category", Comparison(Operator.IS, "shoes"), Ever()
            ),
            "whose most frequent category, over the times they viewed a product, is “shoes”",
            "ค่าที่พบบ่อยที่สุดของหมวดหมู่ เมื่อดูสินค้า เป็น “shoes”",
        ),
        (
            MeasureCondition("Product Viewed", PropertyMeasure.DISTINCT, "shade", amount(Operator.AT_LEAST, 3), Ever()),
            "whose number of different values of shade, over the times they viewed a product, is at least 3",
            "จำนวนค่าที่ไม่ซ้ำกันของ shade เมื่อดูสินค้า อย่างน้อย 3",
        ),
        (
            SequenceCondition(
                Step("Product Added"),
                Step("Order Completed", sources=("web-shop",)),
                Within(2, Unit.DAYS),
                MONTH,
                Step("Product Removed", (RED,)),
                "product_id",
            ),
            (
                "who put a product into the basket and within 2 days completed an order through Web shop with the same "
                "product number but did not take a product out of the basket (colour is “red”) in between in the last "
                "30 days"
            ),
            (
                "ใส่ตะกร้า แล้วสั่งซื้อสำเร็จ ผ่าน เว็บ ภายใน 2 วัน ที่มีรหัสสินค้าเดียวกัน โดยไม่ได้ทำ “Product Removed” (สีเป็น “red”) "
                "ในระหว่างนั้น ใน 30 วันที่ผ่านมา"
            ),
        ),
        (
            SequenceCondition(Step("Product Viewed"), Step("Order Completed"), Within(1, Unit.HOURS), Ever()),
            "who viewed a product and within an hour completed an order",
            "ดูสินค้า แล้วสั่งซื้อสำเร็จ ภายใน 1 ชั่วโมง",
        ),
        (
            OrderLineCondition(LineMeasure.QUANTITY, amount(Operator.AT_LEAST, 2), MONTH, (RED,)),
            "who bought at least 2 pieces (colour is “red”) in the last 30 days",
            "จำนวนสินค้าที่ซื้อ (สีเป็น “red”) อย่างน้อย 2 ชิ้นใน 30 วันที่ผ่านมา",
        ),
        (
            OrderLineCondition(LineMeasure.LINES, amount(Operator.IS, 0), Ever()),
            "whose orders have 0 lines",
            "จำนวนรายการสินค้าในคำสั่งซื้อเท่ากับ 0 รายการ",
        ),
        (
            OrderLineCondition(LineMeasure.SPENT, amount(Operator.MORE_THAN, 900), Ever(), (RED,), "THB"),
            "who spent more than 900 THB on products (colour is “red”)",
            "ยอดซื้อสินค้า (สีเป็น “red”) มากกว่า 900 บาท",
        ),
        (
            ReachableCondition("marketing", "sms"),
            "who can be reached for “News and offers” by SMS",
            "ติดต่อเรื่อง “ข่าวสาร” ทาง SMS ได้",
        ),
        (SegmentCondition(SEGMENT), "who are in the segment “Lapsing”", "อยู่ในเซกเมนต์ “ลูกค้าที่กำลังหายไป”"),
        (
            SegmentCondition(SEGMENT, is_in=False),
            "who are not in the segment “Lapsing”",
            "ไม่อยู่ในเซกเมนต์ “ลูกค้าที่กำลังหายไป”",
        ),
        (ListCondition(LIST), "who are on the list “Guests”", "อยู่ในรายชื่อ “แขกในงาน”"),
        (ListCondition(LIST, is_in=False), "who are not on the list “Guests”", "ไม่อยู่ในรายชื่อ “แขกในงาน”"),
        (
            AttributeCondition("birth_date", Comparison(Operator.ANNIVERSARY_IN_NEXT_DAYS, 7)),
            "whose date of birth has its anniversary in the next 7 days",
            "วันเกิดครบรอบใน 7 วันข้างหน้า",
        ),
        (
            AttributeCondition("birth_date", Comparison(Operator.ANNIVERSARY_THIS_MONTH)),
            "whose date of birth has its anniversary this month",
            "วันเกิดครบรอบเดือนนี้",
        ),
        (
            TouchpointCondition(
                "Product Viewed", nodes.Count(nodes.Bound.AT_LEAST, 1), Ever(), (RED,), ("web-shop", "till")
            ),
            "who viewed a product (colour is “red”) through Web shop or Till",
            "ดูสินค้า (สีเป็น “red”) ผ่าน เว็บ หรือ หน้าร้าน",
        ),
    ],
)
def test_sentences(condition: nodes.Condition, english: str, thai: str) -> None:
    definition = nodes.Definition(nodes.All((condition,)))

    assert describe(definition, "en", EN) == f"People {english}."
    assert describe(definition, "th", TH) == f"ลูกค้าที่{thai}"
