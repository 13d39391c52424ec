"""Definitions as sentences in both languages."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings

from segments.definition import nodes
from segments.definition.describe import describe
from segments.definition.nodes import (
    All,
    Any,
    AttributeCondition,
    Between,
    Bound,
    CalendarDays,
    Comparison,
    ConsentCondition,
    ConsentState,
    Count,
    Ever,
    Measure,
    Not,
    Operator,
    OrderTotalCondition,
    PropertyFilter,
    Rolling,
    TouchpointCondition,
    Unit,
)
from segments.definition.words import ENGLISH, LANGUAGES, THAI, Names
from tests.generative.segments.definitions import DEFINITIONS

EN = Names(
    traits={"city": "City", "birth_date": "Date of birth"},
    purposes={"marketing": "News and offers"},
    channels={"email": "e-mail"},
)
TH = Names(
    traits={"city": "เมือง", "birth_date": "วันเกิด"},
    events={"Product Viewed": "ดูสินค้า", "Order Completed": "สั่งซื้อสำเร็จ"},
    purposes={"marketing": "ข่าวสารและโปรโมชัน"},
    channels={"email": "อีเมล"},
)


def is_(value: str) -> Comparison:
    return Comparison(Operator.IS, value)


RED_SHOES = TouchpointCondition(
    "Product Viewed",
    Count(Bound.AT_LEAST, 5),
    Rolling(7, Unit.DAYS),
    (PropertyFilter("category", is_("รองเท้า")), PropertyFilter("color", is_("แดง"))),
)
IN_7_DAYS = "in the last 7 days"
NEWS = "“News and offers” by e-mail"
BANGKOK = AttributeCondition("city", is_("กรุงเทพฯ"))
TRANG = AttributeCondition("city", is_("ตรัง"))


@pytest.mark.parametrize(
    ("where", "english", "thai"),
    [
        (
            All((RED_SHOES,)),
            f"People who viewed a product (category is “รองเท้า” and colour is “แดง”) at least 5 times {IN_7_DAYS}.",
            "ลูกค้าที่ดูสินค้า (หมวดหมู่เป็น “รองเท้า” และสีเป็น “แดง”) อย่างน้อย 5 ครั้งใน 7 วันที่ผ่านมา",
        ),
        (
            All((Any((BANGKOK, TRANG)), Not((ConsentCondition("marketing", "email", ConsentState.REFUSED),)))),
            f"People (whose city is “กรุงเทพฯ” or whose city is “ตรัง”) and who are not among those who refused {NEWS}.",
            "ลูกค้าที่(เมืองเป็น “กรุงเทพฯ” หรือเมืองเป็น “ตรัง”) และไม่อยู่ในกลุ่มที่ปฏิเสธความยินยอมเรื่อง “ข่าวสารและโปรโมชัน” ทางอีเมล",
        ),
        (
            Any((TouchpointCondition("Order Completed", Count(Bound.EXACTLY, 0), Ever()),)),
            "People who never completed an order.",
            "ลูกค้าที่ไม่เคยสั่งซื้อสำเร็จ",
        ),
        (
            All((TouchpointCondition("Order Completed", Count(Bound.EXACTLY, 0), Rolling(90, Unit.DAYS)),)),
            "People who did not complete an order in the last 90 days.",
            "ลูกค้าที่ไม่ได้สั่งซื้อสำเร็จเลยใน 90 วันที่ผ่านมา",
        ),
        (
            All((TouchpointCondition("Quiz Won", Count(Bound.EXACTLY, 2), CalendarDays(1)),)),
            "People who did “Quiz Won” exactly twice today.",
            "ลูกค้าที่ทำ “Quiz Won” 2 ครั้งพอดีในวันนี้",
        ),
        (
            All((TouchpointCondition("Quiz Won", Count(Bound.EXACTLY, 2), CalendarDays(7)),)),
            "People who did “Quiz Won” exactly twice in the last 7 calendar days.",
            "ลูกค้าที่ทำ “Quiz Won” 2 ครั้งพอดีใน 7 วันปฏิทินที่ผ่านมา",
        ),
        (
            All((TouchpointCondition("Quiz Won", Count(Bound.EXACTLY, 2), Rolling(7, Unit.DAYS)),)),
            "People who did “Quiz Won” exactly twice in the last 7 days.",
            "ลูกค้าที่ทำ “Quiz Won” 2 ครั้งพอดีใน 7 วันที่ผ่านมา",
        ),
        (
            All((TouchpointCondition("Order Completed", Count(Bound.EXACTLY, 0), CalendarDays(30)),)),
            "People who did not complete an order in the last 30 calendar days.",
            "ลูกค้าที่ไม่ได้สั่งซื้อสำเร็จเลยใน 30 วันปฏิทินที่ผ่านมา",
        ),
        (
            All((OrderTotalCondition(Measure.FULL_PRICE, Comparison(Operator.IS, Decimal(0)), Ever(), "THB"),)),
            "People whose number of orders without a discount in THB is 0.",
            "ลูกค้าที่จำนวนคำสั่งซื้อที่ไม่มีส่วนลดที่เป็นเงินบาทเท่ากับ 0 รายการ",
        ),
        (
            All((OrderTotalCondition(Measure.SUM, Comparison(Operator.IS, Decimal(0)), CalendarDays(2), "THB"),)),
            "People whose orders come to 0 THB in the last 2 calendar days.",
            "ลูกค้าที่ยอดสั่งซื้อรวมเท่ากับ 0 บาทใน 2 วันปฏิทินที่ผ่านมา",
        ),
        (
            All(
                (
                    OrderTotalCondition(
                        Measure.SUM,
                        Comparison(Operator.MORE_THAN, Decimal("5000.50")),
                        Between(dt.date(2026, 1, 1), dt.date(2026, 3, 31)),
                        "THB",
                    ),
                )
            ),
            "People whose orders come to more than 5,000.5 THB from 1 Jan 2026 to 31 Mar 2026.",
            "ลูกค้าที่ยอดสั่งซื้อรวมมากกว่า 5,000.5 บาทตั้งแต่ 1 ม.ค. 2569 ถึง 31 มี.ค. 2569",
        ),
        (
            All((AttributeCondition("birth_date", Comparison(Operator.BEFORE, dt.date(1990, 2, 28))),)),
            "People whose date of birth is before 28 Feb 1990.",
            "ลูกค้าที่วันเกิดก่อนวันที่ 28 ก.พ. 2533",
        ),
        (
            All((AttributeCondition("city", Comparison(Operator.IN, tuple("ABCDEFG"))),)),
            "People whose city is one of “A”, “B”, “C”, “D” or one of 3 more.",
            "ลูกค้าที่เมืองเป็น “A”, “B”, “C”, “D” หรืออีก 3 ค่า",
        ),
        (
            All((AttributeCondition("city", Comparison(Operator.UNKNOWN)),)),
            "People whose city is not known.",
            "ลูกค้าที่ไม่มีข้อมูลเมือง",
        ),
        (
            All((ConsentCondition("marketing", "email", ConsentState.NEVER),)),
            "People who were never asked about “News and offers” by e-mail.",
            "ลูกค้าที่ยังไม่เคยถูกถามความยินยอมเรื่อง “ข่าวสารและโปรโมชัน” ทางอีเมล",
        ),
    ],
)
def test_sentences(where: nodes.Group, english: str, thai: str) -> None:
    assert describe(nodes.Definition(where), "en", EN) == english
    assert describe(nodes.Definition(where), "th", TH) == thai


@given(DEFINITIONS)
@settings(max_examples=100, deadline=None)
def test_every_definition_can_be_said(definition: nodes.Definition) -> None:
    for language in LANGUAGES:
        sentence = describe(definition, language)
        assert sentence.count("(") == sentence.count(")") or "(" in str(definition)
        assert "{" not in sentence.replace("“{”", "")


def test_both_languages_have_a_word_for_every_choice() -> None:
    for words in (ENGLISH, THAI):
        assert words.operators.keys() == set(Operator)
        assert words.bounds.keys() == set(Bound)
        assert words.units.keys() == set(Unit)
        assert words.measures.keys() == set(Measure)
        assert words.property_measures.keys() == set(nodes.PropertyMeasure)
        assert words.line_measures.keys() == set(nodes.LineMeasure)
        assert words.is_in.keys() == {True, False}
        assert words.consent_states.keys() == set(ConsentState)
    assert ENGLISH.properties.keys() == THAI.properties.keys()
    assert ENGLISH.windows.keys() == THAI.windows.keys()
    assert ENGLISH.groups.keys() == THAI.groups.keys()
