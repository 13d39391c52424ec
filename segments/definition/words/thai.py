"""Thai: conditions are verb phrases that follow "ลูกค้าที่", "และ", "หรือ"; years are of the Buddhist era."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from segments.definition import nodes
from segments.definition.nodes import Bound, ConsentState, LineMeasure, Measure, Operator, PropertyMeasure, Unit
from segments.definition.words.base import Names, choices, number, operands

OPERATORS: Mapping[Operator, str] = {
    Operator.KNOWN: "มีข้อมูล",
    Operator.UNKNOWN: "ไม่มีข้อมูล",
    Operator.IS: "เป็น",
    Operator.IS_NOT: "ไม่ใช่",
    Operator.IN: "เป็นหนึ่งใน",
    Operator.NOT_IN: "ไม่อยู่ใน",
    Operator.CONTAINS: "มีคำว่า",
    Operator.NOT_CONTAINS: "ไม่มีคำว่า",
    Operator.STARTS_WITH: "ขึ้นต้นด้วย",
    Operator.MORE_THAN: "มากกว่า",
    Operator.LESS_THAN: "น้อยกว่า",
    Operator.AT_LEAST: "อย่างน้อย",
    Operator.AT_MOST: "ไม่เกิน",
    Operator.BETWEEN: "อยู่ระหว่าง",
    Operator.ON: "ตรงกับวันที่",
    Operator.BEFORE: "ก่อนวันที่",
    Operator.AFTER: "หลังวันที่",
    Operator.BETWEEN_DATES: "อยู่ระหว่างวันที่",
    Operator.IN_LAST_DAYS: "อยู่ใน … วันที่ผ่านมา",
    Operator.IN_NEXT_DAYS: "อยู่ใน … วันข้างหน้า",
    Operator.MORE_THAN_DAYS_AGO: "ผ่านมาแล้วเกิน … วัน",
    Operator.ANNIVERSARY_TODAY: "ครบรอบวันนี้",
    Operator.ANNIVERSARY_IN_NEXT_DAYS: "ครบรอบใน … วันข้างหน้า",
    Operator.ANNIVERSARY_IN_LAST_DAYS: "ครบรอบใน … วันที่ผ่านมา",
    Operator.ANNIVERSARY_THIS_MONTH: "ครบรอบเดือนนี้",
}
OF_NUMBERS: Mapping[Operator, str] = {Operator.IS: "เท่ากับ", Operator.IS_NOT: "ไม่เท่ากับ"}
BOUNDS: Mapping[Bound, str] = {Bound.AT_LEAST: "อย่างน้อย", Bound.AT_MOST: "ไม่เกิน", Bound.EXACTLY: "พอดี"}
UNITS: Mapping[Unit, str] = {Unit.MINUTES: "นาที", Unit.HOURS: "ชั่วโมง", Unit.DAYS: "วัน"}
MEASURES: Mapping[Measure, str] = {
    Measure.SUM: "ยอดสั่งซื้อรวม",
    Measure.AVERAGE: "ยอดเฉลี่ยต่อคำสั่งซื้อ",
    Measure.COUNT: "จำนวนคำสั่งซื้อ",
    Measure.FULL_PRICE: "จำนวนคำสั่งซื้อที่ไม่มีส่วนลด",
}
PROPERTY_MEASURES: Mapping[PropertyMeasure, str] = {
    PropertyMeasure.SUM: "ผลรวมของ",
    PropertyMeasure.AVERAGE: "ค่าเฉลี่ยของ",
    PropertyMeasure.SMALLEST: "ค่าต่ำสุดของ",
    PropertyMeasure.LARGEST: "ค่าสูงสุดของ",
    PropertyMeasure.DISTINCT: "จำนวนค่าที่ไม่ซ้ำกันของ",
    PropertyMeasure.FIRST: "ค่าแรกของ",
    PropertyMeasure.LAST: "ค่าล่าสุดของ",
    PropertyMeasure.MOST_FREQUENT: "ค่าที่พบบ่อยที่สุดของ",
}
LINE_MEASURES: Mapping[LineMeasure, str] = {
    LineMeasure.LINES: "จำนวนรายการสินค้า",
    LineMeasure.QUANTITY: "จำนวนชิ้น",
    LineMeasure.SPENT: "ยอดเงินที่ซื้อ",
}
IS_IN: Mapping[bool, str] = {True: "อยู่ใน", False: "ไม่อยู่ใน"}
CONSENT_STATES: Mapping[ConsentState, str] = {
    ConsentState.GRANTED: "ยินยอม",
    ConsentState.REFUSED: "ปฏิเสธ",
    ConsentState.WITHDRAWN: "ถอนความยินยอม",
    ConsentState.NEVER: "ยังไม่เคยถาม",
}
WINDOWS: Mapping[str, str] = {
    "ever": "ทุกช่วงเวลา",
    "rolling": "ย้อนหลัง",
    "calendar_days": "ตามวันปฏิทิน",
    "between": "ระหว่างวันที่",
}
GROUPS: Mapping[str, str] = {"all": "ตรงทุกข้อ", "any": "ตรงอย่างน้อยหนึ่งข้อ", "not": "ไม่ตรงสักข้อ"}
PROPERTIES: Mapping[str, str] = {
    "brand": "แบรนด์",
    "campaign": "แคมเปญ",
    "category": "หมวดหมู่",
    "color": "สี",
    "coupon": "คูปอง",
    "currency": "สกุลเงิน",
    "discount": "ส่วนลด",
    "name": "ชื่อ",
    "outcome": "ผลลัพธ์",
    "price": "ราคา",
    "product_id": "รหัสสินค้า",
    "quantity": "จำนวน",
    "query": "คำค้นหา",
    "sku": "SKU",
    "subject": "หัวเรื่อง",
    "total": "ยอดรวม",
    "url": "ที่อยู่หน้าเว็บ",
    "variant": "แบบ",
}

_RELATIVE_DAYS: Mapping[Operator, str] = {
    Operator.IN_LAST_DAYS: "อยู่ใน {n} วันที่ผ่านมา",
    Operator.IN_NEXT_DAYS: "อยู่ใน {n} วันข้างหน้า",
    Operator.MORE_THAN_DAYS_AGO: "ผ่านมาแล้วเกิน {n} วัน",
    Operator.ANNIVERSARY_IN_NEXT_DAYS: "ครบรอบใน {n} วันข้างหน้า",
    Operator.ANNIVERSARY_IN_LAST_DAYS: "ครบรอบใน {n} วันที่ผ่านมา",
}
_IN_A_SENTENCE: Mapping[Operator, str] = {
    Operator.IS_NOT: "มีข้อมูลและไม่ใช่",
    Operator.IN: "เป็น",
    Operator.NOT_IN: "มีข้อมูลและไม่ใช่",
    Operator.NOT_CONTAINS: "มีข้อมูลและไม่มีคำว่า",
}
"""Where the label of the choice would be stiff, or leave open what becomes of the unknown."""
_MONTHS = ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.")
_CURRENCIES: Mapping[str, str] = {"THB": "บาท", "USD": "ดอลลาร์สหรัฐ", "EUR": "ยูโร", "JPY": "เยน", "CNY": "หยวน"}
_BUDDHIST_ERA = 543


@dataclass(frozen=True)
class Thai:
    """See `Words`."""

    operators = OPERATORS
    of_numbers = OF_NUMBERS
    bounds = BOUNDS
    units = UNITS
    measures = MEASURES
    property_measures = PROPERTY_MEASURES
    line_measures = LINE_MEASURES
    is_in = IS_IN
    consent_states = CONSENT_STATES
    windows = WINDOWS
    groups = GROUPS
    properties = PROPERTIES

    def sentence(self, clause: str) -> str:
        return f"ลูกค้าที่{clause}"

    def joined(self, clauses: list[str], group: type[nodes.Node]) -> str:
        word = " และ" if group is nodes.All else " หรือ"
        return clauses[0] + "".join(word + (f" {clause}" if clause[0] == "(" else clause) for clause in clauses[1:])

    def not_among(self, clause: str) -> str:
        return f"ไม่อยู่ในกลุ่มที่{clause}"

    def when(self, window: nodes.Window) -> str:
        return _window(window).strip()

    def products(self, condition: nodes.OrderLineCondition) -> str:
        return f"{_filters(condition.filters)} {_window(condition.window)}".strip()

    def attribute(self, condition: nodes.AttributeCondition, names: Names) -> str:
        return _compared(names.traits.get(condition.trait, condition.trait), condition.comparison)

    def touchpoint(self, condition: nodes.TouchpointCondition, names: Names) -> str:
        deed = _deed(condition.event, names)
        where = _picked(condition, names)
        when = _window(condition.window)
        match condition.count:
            case nodes.Count(n=0) if isinstance(condition.window, nodes.Ever):
                return f"ไม่เคย{deed}{where}"
            case nodes.Count(n=0):
                return f"ไม่ได้{deed}{where}{' ' if where else ''}เลย{when}"
            case nodes.Count(bound=Bound.AT_LEAST, n=1):
                return f"{deed}{where}{' ' if where and when else ''}{when}"
            case nodes.Count(bound=Bound.EXACTLY, n=n):
                return f"{deed}{where} {number(n)} ครั้งพอดี{when}"
            case nodes.Count(bound=bound, n=n):
                return f"{deed}{where} {BOUNDS[bound]} {number(n)} ครั้ง{when}"

    def measure(self, condition: nodes.MeasureCondition, names: Names) -> str:
        measured = f"{PROPERTY_MEASURES[condition.measure]}{_property(condition.property)}".rstrip()
        when = _window(condition.window)
        over = f"เมื่อ{_deed(condition.event, names)}{_picked(condition, names)}{' ' if when else ''}{when}"
        return _compared(f"{measured} {over} ", condition.comparison).rstrip()

    def sequence(self, condition: nodes.SequenceCondition, names: Names) -> str:
        first, then = (
            f"{_deed(step.event, names)}{_picked(step, names)}" for step in (condition.first, condition.then)
        )
        within = f"{number(condition.within.n)} {UNITS[condition.within.unit]}"
        same = "" if condition.same is None else f" ที่มี{_property(condition.same).strip()}เดียวกัน"
        without = ""
        if condition.without is not None:
            not_done = f"{_deed(condition.without.event, names)}{_picked(condition.without, names)}"
            without = f" โดยไม่ได้{not_done} ในระหว่างนั้น"
        when = _window(condition.window)
        return f"{first} แล้ว{then} ภายใน {within}{same}{without}{' ' if when else ''}{when}"

    def order_total(self, condition: nodes.OrderTotalCondition) -> str:
        currency = _CURRENCIES.get(condition.currency, condition.currency)
        label, unit = MEASURES[condition.measure], f" {currency}"
        if condition.measure.is_number:
            label, unit = f"{label}ที่เป็นเงิน{currency}", " รายการ"
        return f"{_compared(label, condition.comparison)}{unit}{_window(condition.window)}"

    def order_line(self, condition: nodes.OrderLineCondition) -> str:
        where, when = _filters(condition.filters), _window(condition.window)
        label, unit = {
            LineMeasure.LINES: ("จำนวนรายการสินค้าในคำสั่งซื้อ", "รายการ"),
            LineMeasure.QUANTITY: ("จำนวนสินค้าที่ซื้อ", "ชิ้น"),
            LineMeasure.SPENT: ("ยอดซื้อสินค้า", _CURRENCIES.get(condition.currency, condition.currency)),
        }[condition.measure]
        label = f"{label}{where} " if where else label
        return f"{_compared(label, condition.comparison)} {unit}{when}"

    def consent(self, condition: nodes.ConsentCondition, names: Names) -> str:
        on = _on(condition, names).rstrip()
        match condition.state:
            case ConsentState.GRANTED:
                return f"ให้ความยินยอม{on}"
            case ConsentState.REFUSED:
                return f"ปฏิเสธความยินยอม{on}"
            case ConsentState.WITHDRAWN:
                return f"ถอนความยินยอม{on}"
            case ConsentState.NEVER:
                return f"ยังไม่เคยถูกถามความยินยอม{on}"

    def reachable(self, condition: nodes.ReachableCondition, names: Names) -> str:
        return f"ติดต่อ{_on(condition, names)}ได้"

    def segment(self, condition: nodes.SegmentCondition, names: Names) -> str:
        return f"{IS_IN[condition.is_in]}เซกเมนต์ “{names.segments.get(condition.segment, condition.segment)}”"

    def on_list(self, condition: nodes.ListCondition, names: Names) -> str:
        return f"{IS_IN[condition.is_in]}รายชื่อ “{names.lists.get(condition.list, condition.list)}”"


def _on(condition: nodes.ConsentCondition | nodes.ReachableCondition, names: Names) -> str:
    purpose = names.purposes.get(condition.purpose, condition.purpose)
    channel = names.channels.get(condition.channel, condition.channel)
    return f"เรื่อง “{purpose}” ทาง{channel if _is_thai(channel) else f' {channel} '}"


def _deed(event: str, names: Names) -> str:
    label = names.events.get(event, event)
    return label if _is_thai(label) else f"ทำ “{label}”"


def _property(name: str) -> str:
    """The property's Thai name; one that has none stands between spaces."""
    return PROPERTIES.get(name, f" {name} ")


def _is_thai(text: str) -> bool:
    return "\u0e01" <= text[:1] <= "\u0e5b"


def _compared(label: str, comparison: nodes.Comparison) -> str:
    """`label` and its comparison: "สีเป็น “แดง”", "มีข้อมูลเมือง"."""
    operator = comparison.operator
    if comparison.value is None:
        is_about_data = operator in (Operator.KNOWN, Operator.UNKNOWN)
        return f"{OPERATORS[operator]}{label}" if is_about_data else f"{label}{OPERATORS[operator]}"
    parts = operands(comparison.value, yes="ใช่", no="ไม่ใช่", day=_day)
    if operator in _RELATIVE_DAYS:
        return f"{label}{_RELATIVE_DAYS[operator].format(n=parts[0])}"
    if operator in (Operator.BETWEEN, Operator.BETWEEN_DATES):
        return f"{label}อยู่ระหว่าง {parts[0]} ถึง {parts[1]}"
    written = choices(parts, last=" หรือ ", more=" หรืออีก {n} ค่า")
    is_number = isinstance(comparison.value, int | Decimal) and not isinstance(comparison.value, bool)
    if is_number and operator in OF_NUMBERS:
        known = "มีข้อมูลและ" if operator is Operator.IS_NOT else ""
        return f"{label}{known}{OF_NUMBERS[operator]} {written}"
    return f"{label}{_IN_A_SENTENCE.get(operator, OPERATORS[operator])} {written}"


def _filters(filters: tuple[nodes.PropertyFilter, ...]) -> str:
    if not filters:
        return ""
    clauses = [_compared(_property(one.property), one.comparison).strip() for one in filters]
    return f" ({' และ'.join(clauses)})"


def _picked(one: nodes.OnTouchpoints, names: Names) -> str:
    """By which properties and through which sources."""
    if not one.sources:
        return _filters(one.filters)
    sources = choices(
        [names.sources.get(source, source) for source in one.sources], last=" หรือ ", more=" หรืออีก {n} แหล่ง"
    )
    return f"{_filters(one.filters)} ผ่าน {sources}"


def _window(window: nodes.Window) -> str:
    match window:
        case nodes.Ever():
            return ""
        case nodes.Rolling(n=n, unit=unit):
            return f"ใน {number(n)} {UNITS[unit]}ที่ผ่านมา"
        case nodes.CalendarDays(n=1):
            return "ในวันนี้"
        case nodes.CalendarDays(n=n):
            return f"ใน {number(n)} วันปฏิทินที่ผ่านมา"
        case nodes.Between(first=first, last=last):
            return f"ในวันที่ {_day(first)}" if first == last else f"ตั้งแต่ {_day(first)} ถึง {_day(last)}"


def _day(day: dt.date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year + _BUDDHIST_ERA}"


THAI = Thai()
