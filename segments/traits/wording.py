"""A formula as one sentence in English or Thai, and what its calculations are called."""

from collections.abc import Mapping
from dataclasses import dataclass

from segments.definition.words import LANGUAGES, Names
from segments.traits.formula import Calculation, Formula

C = Calculation


@dataclass(frozen=True)
class Wording:
    """One language. In the sentences `{what}` is a property, `{deed}` what customers did, `{money}` a currency,
    `{when}` a window and `{where}` what is asked of products; `per_channel` ends a sentence."""

    calculations: Mapping[Calculation, str]
    of_touchpoints: Mapping[Calculation, str]
    of_orders: Mapping[Calculation, str]
    bought: str
    either: str
    per_channel: str
    end: str
    days: str


ENGLISH = Wording(
    calculations={
        C.COUNT: "How many times",
        C.SUM: "Sum",
        C.AVERAGE: "Average",
        C.SMALLEST: "Smallest value",
        C.LARGEST: "Largest value",
        C.MOST_FREQUENT: "Most frequent value",
        C.FIRST: "First value",
        C.LAST: "Last value",
        C.DISTINCT: "Number of different values",
        C.UNIQUE_LIST: "List of different values",
        C.FIRST_TIME: "First time",
        C.LAST_TIME: "Last time",
        C.DAYS_SINCE: "Days since the last time",
    },
    of_touchpoints={
        C.COUNT: "How many times customers {deed}",
        C.SUM: "The sum of {what} over the times customers {deed}",
        C.AVERAGE: "The average {what} over the times customers {deed}",
        C.SMALLEST: "The smallest {what} of the times customers {deed}",
        C.LARGEST: "The largest {what} of the times customers {deed}",
        C.MOST_FREQUENT: "The most frequent {what} of the times customers {deed}",
        C.FIRST: "The first {what} of the times customers {deed}",
        C.LAST: "The last {what} of the times customers {deed}",
        C.DISTINCT: "How many different values {what} has over the times customers {deed}",
        C.UNIQUE_LIST: "Every different {what} of the times customers {deed}, the last ones first",
        C.FIRST_TIME: "When customers first {deed}",
        C.LAST_TIME: "When customers last {deed}",
        C.DAYS_SINCE: "How many days ago customers last {deed}",
    },
    of_orders={
        C.COUNT: "How many orders in {money} customers placed{when}",
        C.SUM: "What customers' orders in {money} come to{when}",
        C.AVERAGE: "What customers' orders in {money} come to on average{when}",
        C.SMALLEST: "What customers' smallest order in {money} comes to{when}",
        C.LARGEST: "What customers' largest order in {money} comes to{when}",
        C.FIRST_TIME: "When customers placed their first order in {money}{when}",
        C.LAST_TIME: "When customers placed their last order in {money}{when}",
        C.DAYS_SINCE: "How many days ago customers placed their last order in {money}{when}",
    },
    bought="bought a product {where}",
    either=" or ",
    per_channel=", for each channel",
    end=".",
    days="days",
)
THAI = Wording(
    calculations={
        C.COUNT: "จำนวนครั้ง",
        C.SUM: "ผลรวม",
        C.AVERAGE: "ค่าเฉลี่ย",
        C.SMALLEST: "ค่าน้อยที่สุด",
        C.LARGEST: "ค่ามากที่สุด",
        C.MOST_FREQUENT: "ค่าที่พบบ่อยที่สุด",
        C.FIRST: "ค่าแรก",
        C.LAST: "ค่าล่าสุด",
        C.DISTINCT: "จำนวนค่าที่ไม่ซ้ำกัน",
        C.UNIQUE_LIST: "รายการค่าที่ไม่ซ้ำกัน",
        C.FIRST_TIME: "ครั้งแรกเมื่อใด",
        C.LAST_TIME: "ครั้งล่าสุดเมื่อใด",
        C.DAYS_SINCE: "จำนวนวันนับจากครั้งล่าสุด",
    },
    of_touchpoints={
        C.COUNT: "จำนวนครั้งที่ลูกค้า{deed}",
        C.SUM: "ผลรวมของ{what}ทุกครั้งที่ลูกค้า{deed}",
        C.AVERAGE: "ค่าเฉลี่ยของ{what}ทุกครั้งที่ลูกค้า{deed}",
        C.SMALLEST: "{what}ที่น้อยที่สุดเมื่อลูกค้า{deed}",
        C.LARGEST: "{what}ที่มากที่สุดเมื่อลูกค้า{deed}",
        C.MOST_FREQUENT: "{what}ที่พบบ่อยที่สุดเมื่อลูกค้า{deed}",
        C.FIRST: "{what}ครั้งแรกเมื่อลูกค้า{deed}",
        C.LAST: "{what}ครั้งล่าสุดเมื่อลูกค้า{deed}",
        C.DISTINCT: "จำนวน{what}ที่ไม่ซ้ำกันเมื่อลูกค้า{deed}",
        C.UNIQUE_LIST: "{what}ที่ไม่ซ้ำกันทั้งหมดเมื่อลูกค้า{deed} ล่าสุดขึ้นก่อน",
        C.FIRST_TIME: "เวลาที่ลูกค้า{deed}ครั้งแรก",
        C.LAST_TIME: "เวลาที่ลูกค้า{deed}ครั้งล่าสุด",
        C.DAYS_SINCE: "จำนวนวันนับจากครั้งล่าสุดที่ลูกค้า{deed}",
    },
    of_orders={
        C.COUNT: "จำนวนคำสั่งซื้อเป็นเงิน {money} ของลูกค้า{when}",
        C.SUM: "ยอดรวมคำสั่งซื้อเป็นเงิน {money} ของลูกค้า{when}",
        C.AVERAGE: "ยอดเฉลี่ยต่อคำสั่งซื้อเป็นเงิน {money} ของลูกค้า{when}",
        C.SMALLEST: "ยอดคำสั่งซื้อที่น้อยที่สุดเป็นเงิน {money} ของลูกค้า{when}",
        C.LARGEST: "ยอดคำสั่งซื้อที่มากที่สุดเป็นเงิน {money} ของลูกค้า{when}",
        C.FIRST_TIME: "เวลาที่ลูกค้าสั่งซื้อเป็นเงิน {money} ครั้งแรก{when}",
        C.LAST_TIME: "เวลาที่ลูกค้าสั่งซื้อเป็นเงิน {money} ครั้งล่าสุด{when}",
        C.DAYS_SINCE: "จำนวนวันนับจากที่ลูกค้าสั่งซื้อเป็นเงิน {money} ครั้งล่าสุด{when}",
    },
    bought="ซื้อสินค้า {where}",
    either=" หรือ",
    per_channel=" แยกตามช่องทาง",
    end="",
    days="วัน",
)
WORDINGS: Mapping[str, Wording] = {"en": ENGLISH, "th": THAI}


def sentence(formula: Formula, language: str, names: Names) -> str:
    """The formula in words, e.g. "The most frequent category of the times customers viewed a product."

    Args:
        language: "en" or "th".
        names: labels of events and sources in that language.
    """
    wording, words = WORDINGS[language], LANGUAGES[language]
    orders, lines = formula.orders, formula.lines
    if orders is not None:
        when = words.when(orders.window)
        said = wording.of_orders[formula.calculation].format(money=orders.currency, when=f" {when}" if when else "")
    else:
        if lines is not None:
            deeds = [wording.bought.format(where=words.products(lines))]
        else:
            deeds = [_deed(words.touchpoint(pick, names)) for pick in formula.touchpoints]
        what = words.properties.get(formula.property_name, f"“{formula.property_name}”")
        deed = wording.either.join(deeds).rstrip()
        said = wording.of_touchpoints[formula.calculation].format(what=what, deed=deed)
    return f"{said}{wording.per_channel if formula.per_channel else ''}{wording.end}"


def _deed(clause: str) -> str:
    """ "who viewed a product" → "viewed a product"; a Thai clause is a verb by itself."""
    return clause.removeprefix("who ")
