"""Thai: conditions are verb phrases that follow "ลูกค้าที่", "และ", "หรือ"; years are of the Buddhist era."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from segments.definition import nodes
from segments.definition.nodes import Bound, ConsentState, Measure, Operator, Unit
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
}
BOUNDS: Mapping[Bound, str] = {Bound.AT_LEAST: "อย่างน้อย", Bound.AT_MOST: "ไม่เกิน", Bound.EXACTLY: "พอดี"}
UNITS: Mapping[Unit, str] = {Unit.MINUTES: "นาที", Unit.HOURS: "ชั่วโมง", Unit.DAYS: "วัน"}
MEASURES: Mapping[Measure, str] = {
    Measure.SUM: "ยอดสั่งซื้อรวม",
    Measure.AVERAGE: "ยอดเฉลี่ยต่อคำสั่งซื้อ",
    Measure.COUNT: "จำนวนคำสั่งซื้อ",
}
CONSENT_STATES: Mapping[ConsentState, str] = {
    ConsentState.GRANTED: "ยินยอม",
    ConsentState.REFUSED: "ปฏิเสธ",
    ConsentState.WITHDRAWN: "ถอนความยินยอม",
    ConsentState.NEVER: "ยังไม่เคยถาม",
}
WINDOWS: Mapping[str, str] = {
    "ever": "ตลอดมา",
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
    bounds = BOUNDS
    units = UNITS
    measures = MEASURES
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

    def attribute(self, condition: nodes.AttributeCondition, names: Names) -> str:
        return _compared(names.traits.get(condition.trait, condition.trait), condition.comparison)

    def touchpoint(self, condition: nodes.TouchpointCondition, names: Names) -> str:
        label = names.events.get(condition.event, condition.event)
        deed = label if _is_thai(label) else f"ทำ “{label}”"
        where = _filters(condition.filters)
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

    def order_total(self, condition: nodes.OrderTotalCondition) -> str:
        currency = _CURRENCIES.get(condition.currency, condition.currency)
        label, unit = MEASURES[condition.measure], f" {currency}"
        if condition.measure is Measure.COUNT:
            label, unit = f"{label}ที่เป็นเงิน{currency}", " รายการ"
        return f"{_compared(label, condition.comparison)}{unit}{_window(condition.window)}"

    def consent(self, condition: nodes.ConsentCondition, names: Names) -> str:
        purpose = names.purposes.get(condition.purpose, condition.purpose)
        on = f"เรื่อง “{purpose}” ทาง{names.channels.get(condition.channel, condition.channel)}"
        match condition.state:
            case ConsentState.GRANTED:
                return f"ให้ความยินยอม{on}"
            case ConsentState.REFUSED:
                return f"ปฏิเสธความยินยอม{on}"
            case ConsentState.WITHDRAWN:
                return f"ถอนความยินยอม{on}"
            case ConsentState.NEVER:
                return f"ยังไม่เคยถูกถามความยินยอม{on}"


def _is_thai(text: str) -> bool:
    return "\u0e01" <= text[:1] <= "\u0e5b"


def _compared(label: str, comparison: nodes.Comparison) -> str:
    """`label` and its comparison: "สีเป็น “แดง”", "มีข้อมูลเมือง"."""
    operator = comparison.operator
    if comparison.value is None:
        return f"{OPERATORS[operator]}{label}"
    parts = operands(comparison.value, yes="ใช่", no="ไม่ใช่", day=_day)
    if operator in _RELATIVE_DAYS:
        return f"{label}{_RELATIVE_DAYS[operator].format(n=parts[0])}"
    if operator in (Operator.BETWEEN, Operator.BETWEEN_DATES):
        return f"{label}อยู่ระหว่าง {parts[0]} ถึง {parts[1]}"
    written = choices(parts, last=" หรือ ", more=" หรืออีก {n} ค่า")
    return f"{label}{_IN_A_SENTENCE.get(operator, OPERATORS[operator])} {written}"


def _filters(filters: tuple[nodes.PropertyFilter, ...]) -> str:
    if not filters:
        return ""
    clauses = [_compared(PROPERTIES.get(one.property, f" {one.property} "), one.comparison).strip() for one in filters]
    return f" ({' และ'.join(clauses)})"


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
