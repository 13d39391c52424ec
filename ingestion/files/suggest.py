"""What the columns of a file most likely are, for a person to confirm. Pure.

Looks at the header, in Thai and English, and where the header is not enough at the first values (`files.looks`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ingestion.files import looks
from ingestion.files.mapping import MULTI_VALUED, VERSION, RowKind, Target
from ingestion.normalise.traits import suggest_trait

_NOT_LETTERS: Final = re.compile(r"[^0-9a-zก-๛]+")
_NUMBER: Final = re.compile(r"[+-]?[\d,]*\.?\d+")
_WORD_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _by_synonym(table: Mapping[str, str]) -> Mapping[str, str]:
    """Each of the words (in letters and digits only) → what it stands for."""
    return {word: name for name, words in table.items() for word in words.split()}


_ORDER: Final = _by_synonym(
    {
        "id": """
            orderid orderno ordernumber basketid invoiceno invoiceid invoicenumber receiptno receiptid receiptnumber
            billno transactionid เลขที่ใบเสร็จ เลขที่คำสั่งซื้อ หมายเลขคำสั่งซื้อ เลขที่บิล เลขที่ออเดอร์ หมายเลขออเดอร์""",
        "total": "ordertotal grandtotal totalamount ยอดรวม ยอดสุทธิ",
        "currency": "currency สกุลเงิน",
    }
)
_LINE: Final = _by_synonym(
    {
        "sku": "sku productid productcode productno itemid itemcode barcode รหัสสินค้า บาร์โค้ด",
        "line_id": "lineid lineno linenumber",
        "name": "productname itemname product item สินค้า ชื่อสินค้า รายการ",
        "category": "category productcategory หมวดหมู่ หมวดสินค้า ประเภทสินค้า",
        "color": "color colour สี",
        "quantity": "quantity qty จำนวน จำนวนชิ้น",
        "price": "price unitprice ราคา ราคาต่อหน่วย ราคาต่อชิ้น",
        "total": "salesvalue linetotal lineamount netamount ยอดขาย ราคารวม",
        "list_price": "listprice fullprice ราคาเต็ม ราคาป้าย",
        "discount": "discount retaildisc linediscount ส่วนลด",
        "coupon": "coupon couponcode คูปอง รหัสคูปอง",
        "coupon_discount": "coupondisc coupondiscount ส่วนลดคูปอง",
    }
)
_HAPPENING: Final = _by_synonym(
    {
        Target.EVENT: "event eventname เหตุการณ์ กิจกรรม",
        Target.TIMESTAMP: """
            timestamp time datetime date eventtime originaltimestamp occurredat transactiontimestamp transactiondate
            orderdate orderedat createdat calldate วันที่ วันเวลา เวลา วันที่สั่งซื้อ วันที่ขาย วันที่โทร""",
    }
)
_DOCUMENTS: Final = _by_synonym(
    {
        "passport": "passport passportno passportnumber หนังสือเดินทาง เลขหนังสือเดินทาง",
        "driving_licence": """
            driverslicensenumber driverslicense driverlicense drivinglicence ใบขับขี่ เลขใบขับขี่""",
    }
)
_PRODUCT: Final = _by_synonym(
    {
        "sku": "sku productid productcode productno itemid itemcode barcode รหัสสินค้า บาร์โค้ด",
        "namespace": "namespace brand shop ร้าน",
        "name": "name nameen productname productnameen itemname englishname ชื่อภาษาอังกฤษ ชื่ออังกฤษ",
        "name_th": "nameth productnameth thainame ชื่อ ชื่อสินค้า ชื่อไทย ชื่อภาษาไทย",
        "category": "category productcategory หมวดหมู่ หมวดสินค้า ประเภทสินค้า",
        "price": "price unitprice listprice ราคา ราคาต่อหน่วย ราคาขาย ราคาป้าย",
        "currency": "currency สกุลเงิน",
        "url": "url link productlink producturl ลิงก์ ลิงก์สินค้า",
        "synonyms": "synonyms aliases othernames คำพ้อง ชื่อเรียกอื่น",
    }
)
_ATTRIBUTES: Final = _by_synonym({"color": "color colour สี", "size": "size ขนาด ไซส์", "brand": "brand ยี่ห้อ แบรนด์"})
_STATEMENT: Final = _by_synonym(
    {
        "purpose": "purpose consentpurpose วัตถุประสงค์ วัตถุประสงค์การใช้ข้อมูล",
        "channel": "channel consentchannel ช่องทาง ช่องทางติดต่อ ช่องทางการติดต่อ",
        "state": "state status consent consentstate consentstatus answer ความยินยอม สถานะ สถานะความยินยอม คำตอบ",
        "notice_version": "noticeversion notice policyversion เวอร์ชันประกาศ ฉบับประกาศ เวอร์ชัน",
        "language": "language lang ภาษา",
        "how": "how method evidence วิธีการ วิธี หลักฐาน",
        "where": "where place branch สถานที่ สาขา",
        "reference": "reference ref formno documentno เลขที่เอกสาร เลขที่แบบฟอร์ม",
    }
)
_SAID_AT: Final = frozenset(
    ("date", "datetime", "timestamp", "when", "consentdate", "occurredat", "วันที่", "วันที่ให้ความยินยอม", "วันเวลา")
)
_CHANNELS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email", "mail", "อีเมล", "เมล"),
    "sms": ("sms", "เอสเอ็มเอส"),
    "phone": ("phone", "call", "โทร"),
    "line": ("line", "ไลน์"),
    "push": ("push", "app"),
    "post": ("post", "ไปรษณีย์"),
}
_CONSENT_WORDS: Final = (
    "consent", "optin", "subscribe", "marketing", "newsletter", "permission", "ยินยอม", "รับข่าว", "ข่าวสาร", "โปรโมชั่น",
)  # fmt: skip
_YES_NO: Final = frozenset(("y", "n", "yes", "no", "true", "false", "t", "f", "0", "1", "ใช่", "ไม่", "ยินยอม", "ไม่ยินยอม"))
_QUANTITY: Final = "quantity"  # what is sold by the piece is an order's line, not a catalogue's product
# In a file of orders these are whose order it is, not an attribute.
_BUYERS: Final = frozenset(("householdid", "memberid", "รหัสสมาชิก"))


def suggest(
    columns: Sequence[str],
    samples: Mapping[str, Sequence[str]],
    *,
    rows: RowKind | None = None,
    purpose: str = "marketing",
) -> dict[str, Any]:
    """A definition to start from; it may still lack what only a person knows (`mapping.parse` says what).

    Args:
        samples: first values of each column, as text.
        rows: what a row is, when a person has said so.
        purpose: which a column of yes and no is taken to be about.
    """
    squashed = {column: _squash(column) for column in columns}
    rows = rows or _rows(squashed.values())
    fields: list[dict[str, Any]] = []
    taken: set[str] = set()
    for column in columns:
        found = _field(column, squashed[column], samples.get(column, ()), rows, purpose)
        if found is None:
            continue
        once = f"{found['to']}:{found.get('name', '')}"
        if once in taken and not (found["to"] == Target.TRAIT and found["name"] in MULTI_VALUED):
            continue
        if found["to"] != Target.CONSENT and "[]" not in column:
            taken.add(once)
        fields.append({"from": column, **found})
    _join_times(fields, columns, samples)
    _name_records(fields, columns, samples, rows)
    dates = [value for one in fields if looks.is_date_field(one) for value in samples.get(one["from"], ())]
    order, two_digit_years = looks.date_style(dates)
    return {
        "version": VERSION,
        "rows": rows.value,
        "date_order": order,
        "two_digit_years": two_digit_years,
        "empty": "unchanged",
        "fields": fields,
    }


def _join_times(fields: list[dict[str, Any]], columns: Sequence[str], samples: Mapping[str, Sequence[str]]) -> None:
    """A day in one column and the time of day in another are one moment."""
    times = [column for column in columns if looks.are_times(samples.get(column, ()))]
    moment = next((one for one in fields if one["to"] == Target.TIMESTAMP), None)
    if moment is None or len(times) != 1:
        return
    if moment["from"] in times:  # the time's column came first and was taken for the moment
        days = [column for column in columns if looks.are_days(samples.get(column, ()))]
        if len(days) != 1:
            return
        fields[:] = [one for one in fields if one is moment or one["from"] != days[0]]
        moment["from"] = days[0]
    if looks.are_days(samples.get(moment["from"], ())):
        fields[:] = [one for one in fields if one["from"] != times[0]]
        moment["steps"] = [{"do": "join", "column": times[0], "text": " "}]


def _name_records(
    fields: list[dict[str, Any]], columns: Sequence[str], samples: Mapping[str, Sequence[str]], rows: RowKind
) -> None:
    """Without a column that is called an id, one whose values are all different ids is the record's."""
    used = {one["from"] for one in fields}
    if rows is not RowKind.PEOPLE or any(one["to"] == Target.RECORD_ID for one in fields):
        return
    for column in columns:
        if column not in used and "[]" not in column and looks.are_ids(samples.get(column, ())):
            fields.insert(0, {"from": column, "to": Target.RECORD_ID.value})
            return


def _leaf(column: str) -> str:
    return column.rpartition(".")[2].removesuffix("[]")


def _squash(column: str) -> str:
    return _NOT_LETTERS.sub("", _leaf(column).casefold())


def _rows(names: Any) -> RowKind:
    names = set(names)
    if any(_ORDER.get(name) == "id" for name in names):
        return RowKind.ORDERS
    if {"purpose", "channel", "state"} <= {_STATEMENT.get(name) for name in names}:
        return RowKind.CONSENTS
    found = {_PRODUCT.get(name) for name in names}
    if "sku" in found and found & {"price", "category"} and not any(_LINE.get(name) == _QUANTITY for name in names):
        return RowKind.PRODUCTS
    is_event = any(_HAPPENING.get(name) == Target.EVENT for name in names)
    return RowKind.EVENTS if is_event else RowKind.PEOPLE


def _field(column: str, squashed: str, values: Sequence[str], rows: RowKind, purpose: str) -> dict[str, Any] | None:
    """What one column becomes, without the column itself; None for nothing."""
    if squashed == "anonymousid":
        return {"to": Target.ANONYMOUS_ID.value}
    if kind := _DOCUMENTS.get(squashed):
        return {"to": Target.IDENTIFIER.value, "name": kind}
    if rows is RowKind.PRODUCTS:
        return _about_product(column, squashed)
    if rows is RowKind.CONSENTS:
        happening = _statement(squashed)
    else:
        happening = None if rows is RowKind.PEOPLE else _happening(squashed, rows)
    return (
        happening
        or _about_person(column, squashed, values, rows, purpose)
        or looks.as_trait(column, values)
        or _property(column, values, rows)
    )


def _about_product(column: str, squashed: str) -> dict[str, Any] | None:
    if name := _PRODUCT.get(squashed):
        return {"to": Target.PRODUCT.value, "name": name}
    name = _ATTRIBUTES.get(squashed) or _snake(column)
    return {"to": Target.ATTRIBUTE.value, "name": name} if name.isascii() and name[:1].isalpha() else None


def _statement(squashed: str) -> dict[str, Any] | None:
    if squashed in _SAID_AT:
        return {"to": Target.TIMESTAMP.value}
    name = _STATEMENT.get(squashed)
    return {"to": Target.STATEMENT.value, "name": name} if name else None


def _about_person(
    column: str, squashed: str, values: Sequence[str], rows: RowKind, purpose: str
) -> dict[str, Any] | None:
    if rows is not RowKind.CONSENTS and (channel := _consent_channel(squashed, values)):
        return {"to": Target.CONSENT.value, "purpose": purpose, "channel": channel}
    trait = suggest_trait(_leaf(column))
    if trait == "external_id":
        return {"to": Target.RECORD_ID.value}
    # A note is about what happened; the country or kind of a document is not the document.
    is_aside = (trait == "note" and rows is not RowKind.PEOPLE) or (
        trait == "national_id" and squashed.endswith(("country", "type", "state"))
    )
    if not trait or is_aside:
        return None
    quoted = {"steps": [{"do": "trim", "text": "'"}]} if looks.are_quoted(values) else {}
    return {"to": Target.TRAIT.value, "name": trait, **quoted}


def _property(column: str, values: Sequence[str], rows: RowKind) -> dict[str, Any] | None:
    """Of what happens, everything else is kept as a property."""
    name = _snake(column)
    if rows in (RowKind.PEOPLE, RowKind.CONSENTS) or "[]" in column or not name:
        return None
    is_number = bool(values) and all(_NUMBER.fullmatch(value) for value in values)
    return {"to": Target.PROPERTY.value, "name": name, "type": "number" if is_number else "text"}


def _snake(column: str) -> str:
    return re.sub(r"\W+", "_", _WORD_STARTS.sub("_", _leaf(column))).strip("_").lower()


def _happening(squashed: str, rows: RowKind) -> dict[str, Any] | None:
    if target := _HAPPENING.get(squashed):
        return {"to": str(target)}
    if rows is RowKind.EVENTS:
        return {"to": Target.ROW_ID.value} if squashed in ("messageid", "eventid") else None
    for target, names in ((Target.ORDER, _ORDER), (Target.LINE, _LINE)):
        if name := names.get(squashed):
            return {"to": target.value, "name": name}
    return {"to": Target.RECORD_ID.value} if squashed in _BUYERS else None


def _consent_channel(squashed: str, values: Sequence[str]) -> str | None:
    """The channel of a yes-or-no column about marketing; None for other columns."""
    if not any(word in squashed for word in _CONSENT_WORDS):
        return None
    if not values or not all(value.casefold() in _YES_NO for value in values):
        return None
    return _channel(squashed) or "email"


def channel_of(column: str) -> str:
    """The channel that a column's name speaks of; empty when it names none."""
    return _channel(_squash(column))


def _channel(squashed: str) -> str:
    return next((channel for channel, words in _CHANNELS.items() if any(word in squashed for word in words)), "")
