"""From a row to a message: the mapping at work. Pure.

One row is one message. Its messageId is made of what it says, so that an unchanged row imported again is a duplicate;
equal rows of one file without an id of their own are told apart by their ordinal (the second of two is "1").
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from ingestion.files import paths
from ingestion.files.codes import RowProblem
from ingestion.files.mapping import (
    MULTI_VALUED,
    NUMERIC_FIELDS,
    SEALED_KINDS,
    FieldMapping,
    RowKind,
    Rule,
    Target,
)
from ingestion.normalise.dates import normalise_date, parse_timestamp
from ingestion.normalise.thai import ascii_digits

ORDER_EVENT: Final = "Order Completed"
MAX_ID_LENGTH: Final = 200
MAX_EVENT_LENGTH: Final = 100
_DATES: Final = frozenset({"birth_date", "created_at"})
_NAME_PARTS: Final = ("title", "first_name", "middle_name", "last_name")
_ADDRESS_PARTS: Final = frozenset(
    {"address", "address_line2", "subdistrict", "district", "city", "province", "postcode", "country"}
)
_ABSENT: Final = object()
_PLAIN_NUMBER: Final = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_TRUE: Final = frozenset({"true", "yes", "y", "1", "t", "ใช่"})
_FALSE: Final = frozenset({"false", "no", "n", "0", "f", "ไม่", "ไม่ใช่"})

# How often this was seen before in the file, 0 for the first time.
Ordinal = Callable[[bytes], int]
# (kind, number) → what may be kept of it: {"hash", "last_four", "problem"?}
Seal = Callable[[str, str], Mapping[str, str]]


class RowError(ValueError):
    """The row cannot be used; `column` is the culprit, where one is."""

    def __init__(self, problem: RowProblem, column: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.column = column


class RowReader:
    """Turns rows into messages.

    Args:
        columns: the file's, for CSV rows (lists of cells); None for JSON objects.
        zone: of times that name none.
        ordinal: counts equal rows of this file.
        seal: what is kept of a document's number.
    """

    def __init__(
        self,
        mapping: FieldMapping,
        *,
        columns: Sequence[str] | None,
        zone: tzinfo,
        ordinal: Ordinal,
        seal: Seal,
    ) -> None:
        self.mapping = mapping
        self._zone = zone
        self._ordinal = ordinal
        self._seal = seal
        self._places = {name: place for place, name in enumerate(columns)} if columns is not None else None
        self._values = {rule: self._getter(rule) for rule in mapping.rules}
        self._plain_traits = [
            rule for rule in mapping.of(Target.TRAIT) if columns is not None or "[]" not in rule.column
        ]
        self._grouped_traits = _by_list(mapping.of(Target.TRAIT)) if columns is None else {}
        self._identifiers = mapping.of(Target.IDENTIFIER)
        self._consents = mapping.of(Target.CONSENT)
        self._properties = mapping.of(Target.PROPERTY)
        self._order = mapping.of(Target.ORDER)
        self._line = mapping.of(Target.LINE)
        self._one = {rule.to: rule for rule in mapping.rules}
        self._has_line_id = any(rule.name == "line_id" for rule in self._line)

    @property
    def counts_rows(self) -> bool:
        """Whether messages depend on the rows before them (`ordinal`)."""
        counts_events = self.mapping.rows is RowKind.EVENTS and Target.ROW_ID not in self._one
        counts_lines = bool(self._line) and not self._has_line_id
        return counts_events or counts_lines or Target.RECORD_ID not in self._one

    def message(self, cells: Any, line: int) -> dict[str, Any]:
        """The message of one row, JSON-ready. Raises RowError."""
        message = self._said(cells)
        ours: dict[str, Any] = {}
        if identifiers := [found for rule in self._identifiers for found in self._identifier(rule, cells)]:
            ours["identifiers"] = identifiers
        if consents := [found for rule in self._consents if (found := self._consent(rule, cells))]:
            ours["consents"] = consents
        record_id = self._id(Target.RECORD_ID, cells)
        if record_id is None and Target.RECORD_ID in self._one:
            raise RowError(RowProblem.NO_ID, self._one[Target.RECORD_ID].column)
        if record_id is not None:
            ours["record"] = {"external_id": record_id}
        if anonymous_id := self._id(Target.ANONYMOUS_ID, cells):
            message["anonymousId"] = anonymous_id
        message["cdp"] = ours
        key = self._key(message, cells, has_record=record_id is not None)
        message["messageId"] = f"row:{self.mapping.rows.value}:{key}"
        if record_id is None and not anonymous_id:
            ours["record"] = {"external_id": f"row:{key}"}
        ours["line"] = line
        return message

    def _said(self, cells: Any) -> dict[str, Any]:
        traits = self._traits(cells)
        message: dict[str, Any]
        if self.mapping.rows is RowKind.PEOPLE:
            message = {"type": "identify", "traits": traits}
        else:
            message = {"type": "track", "event": self._event(cells), "properties": self._said_properties(cells)}
            if traits:
                message["context"] = {"traits": traits}
        if (timestamp := self._timestamp(cells)) is not None:
            message["timestamp"] = timestamp
        return message

    def _key(self, message: Mapping[str, Any], cells: Any, *, has_record: bool) -> str:
        """32 hex digits that are the same whenever this row is imported into this source with this mapping."""
        content = msgspec.json.encode(message)
        row_id = self._id(Target.ROW_ID, cells)
        if row_id is not None:
            content += b"\0row\0" + row_id.encode()
        needs_ordinal = (self.mapping.rows is RowKind.EVENTS and row_id is None) or not (
            has_record or "anonymousId" in message
        )
        digest = hashlib.blake2b(content, digest_size=16).digest()
        if needs_ordinal and (ordinal := self._ordinal(digest)):
            digest = hashlib.blake2b(b"%s\0%d" % (digest, ordinal), digest_size=16).digest()
        return digest.hex()

    # --- values

    def _getter(self, rule: Rule) -> Callable[[Any], Any]:
        """What reads the rule's value out of a row: a text, a JSON value, None for an empty cell, or _ABSENT."""
        if (constant := rule.constant) is not None:
            return lambda _cells: constant
        if self._places is not None:
            place = self._places[rule.column]
            return lambda cells: cells[place].strip() or None
        path, is_list = paths.parse(rule.column), "[]" in rule.column

        def at_path(cells: Any) -> Any:
            values = paths.walk(cells, path)
            value = values if is_list else (values[0] if values else _ABSENT)
            return (value.strip() or None) if isinstance(value, str) else value

        return at_path

    def _value(self, rule: Rule, cells: Any) -> Any:
        return self._values[rule](cells)

    def _text(self, rule: Rule, cells: Any) -> str:
        """The value as one line of text; empty for nothing, for lists of nothing and for objects."""
        value = self._values[rule](cells)
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            value = next((one for one in value if one not in (None, "")), None)
        if value is None or value is _ABSENT or isinstance(value, dict | list):
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()

    def _id(self, target: Target, cells: Any) -> str | None:
        rule = self._one.get(target)
        if rule is None:
            return None
        text = self._text(rule, cells)
        if len(text) > MAX_ID_LENGTH:
            raise RowError(RowProblem.ID_TOO_LONG, rule.column)
        return text or None

    def _event(self, cells: Any) -> str:
        rule = self._one.get(Target.EVENT)
        if rule is None:
            return ORDER_EVENT
        name = self._text(rule, cells)[:MAX_EVENT_LENGTH]
        if not name:
            raise RowError(RowProblem.NO_EVENT, rule.column)
        return name

    def _timestamp(self, cells: Any) -> str | None:
        rule = self._one.get(Target.TIMESTAMP)
        text = self._text(rule, cells) if rule else ""
        if rule is None or not text:
            return None
        moment = parse_timestamp(text, zone=self._zone, order=self.mapping.date_order)
        if moment is None:
            raise RowError(RowProblem.TIME, rule.column)
        return moment.isoformat()

    # --- the person

    def _traits(self, cells: Any) -> dict[str, Any]:
        traits: dict[str, Any] = {}
        for rule in self._plain_traits:
            value = self._value(rule, cells)
            if value is _ABSENT or (value in (None, "", []) and not self.mapping.empty_clears):
                continue
            self._add_trait(traits, rule.name, value)
        for base, rules in self._grouped_traits.items():
            self._add_elements(traits, [_part(element, rules) for element in paths.walk(cells, base)])
        return traits

    def _add_trait(self, traits: dict[str, Any], name: str, value: Any) -> None:
        if name in _DATES and isinstance(value, str):
            value = self._date(value)
        held = traits.get(name)
        if held is None or name not in MULTI_VALUED:
            traits[name] = value
        elif value is not None:
            together = [*(held if isinstance(held, list) else [held])]
            together += value if isinstance(value, list) else [value]
            traits[name] = together

    def _date(self, text: str) -> str:
        day = normalise_date(text, order=self.mapping.date_order, two_digit_years=self.mapping.two_digit_years)
        return day.value if day.problem is None else text

    def _add_elements(self, traits: dict[str, Any], elements: Sequence[Mapping[str, Any]]) -> None:
        """Traits out of a list's elements: name parts of one element are one name, address parts one address."""
        names = [element for element in elements if any(part in element for part in _NAME_PARTS)]
        if len(names) == 1 and not any("name" in element for element in elements):
            traits.update({part: names[0][part] for part in _NAME_PARTS if part in names[0]})
        else:
            for element in names:
                self._add_trait(traits, "name", " ".join(str(element[part]) for part in _NAME_PARTS if part in element))
        for element in elements:
            address = {part: value for part, value in element.items() if part in _ADDRESS_PARTS}
            if address:
                self._add_trait(traits, "address", address if len(address) > 1 else next(iter(address.values())))
            for name, value in element.items():
                if name not in _NAME_PARTS and name not in _ADDRESS_PARTS:
                    self._add_trait(traits, name, value)

    def _identifier(self, rule: Rule, cells: Any) -> list[dict[str, Any]]:
        value = self._value(rule, cells)
        found = []
        for one in value if isinstance(value, list) else [value]:
            if one is None or one is _ABSENT or isinstance(one, dict | list | bool):
                continue
            raw = str(one).strip()
            text = ascii_digits(raw)
            if not text:
                continue
            if len(text) > MAX_ID_LENGTH:
                raise RowError(RowProblem.ID_TOO_LONG, rule.column)
            stated = {"kind": rule.name, "value": text, "raw": raw}
            if rule.name in SEALED_KINDS:
                held = self._seal(rule.name, text)
                stated |= {"value": held["hash"], "raw": held["last_four"]}
            if rule.namespace:
                stated["namespace"] = rule.namespace
            found.append(stated)
        return found

    def _consent(self, rule: Rule, cells: Any) -> dict[str, Any] | None:
        """A filled cell is a statement; an empty one says that the person was never asked."""
        text = self._text(rule, cells)
        if not text:
            return None
        state = rule.values.get(text.casefold())
        if state is None:
            raise RowError(RowProblem.CONSENT, rule.column)
        return {
            "purpose": rule.purpose,
            "channel": rule.channel,
            "state": state,
            "cell": True,
            "evidence": {"column": rule.column},
        }

    # --- what happened

    def _said_properties(self, cells: Any) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        for rule in self._properties:
            value = self._property(rule, cells)
            if value is not None:
                properties[rule.name] = value
        for rule in self._order:
            if text := self._amount_or_text(rule, cells):
                properties["order_id" if rule.name == "id" else rule.name] = text
        if self.mapping.rows is RowKind.ORDERS:
            if "order_id" not in properties:
                raise RowError(RowProblem.NO_ID, next(rule.column for rule in self._order if rule.name == "id"))
            if product := self._product(cells, properties["order_id"]):
                properties["products"] = [product]
        return properties

    def _product(self, cells: Any, order_id: str) -> dict[str, Any]:
        product = {rule.name: text for rule in self._line if (text := self._amount_or_text(rule, cells))}
        if product and not self._has_line_id:
            # The same product twice in an order: two lines, unless the file numbers its lines itself.
            sku = product.get("sku", "")
            scanned = msgspec.json.encode([order_id, sku or product])
            if ordinal := self._ordinal(hashlib.blake2b(scanned, digest_size=16).digest()):
                product["line_id"] = f"{sku[:100]}#{ordinal}"
        return product

    def _amount_or_text(self, rule: Rule, cells: Any) -> str:
        text = self._text(rule, cells)
        if text and rule.name in NUMERIC_FIELDS:
            return text if _PLAIN_NUMBER.fullmatch(text) else str(_number(text, rule.column))
        return text[:MAX_ID_LENGTH]

    def _property(self, rule: Rule, cells: Any) -> Any:
        if rule.type == "text":
            value = self._value(rule, cells)
            return None if value is _ABSENT else value
        text = self._text(rule, cells)
        if not text:
            return None
        if rule.type == "number":
            number = _number(text, rule.column)
            return int(number) if number == number.to_integral_value() else float(number)
        word = text.casefold()
        return True if word in _TRUE else False if word in _FALSE else text


def _number(text: str, column: str) -> Decimal:
    """A number as shops write it: with thousands separators, a currency sign, Thai digits."""
    bare = ascii_digits(text).replace(",", "").replace("฿", "").replace("บาท", "").replace("THB", "").strip()
    try:
        number = Decimal(bare)
    except InvalidOperation as error:
        raise RowError(RowProblem.NUMBER, column) from error
    if not number.is_finite() or abs(number) >= 10**12:
        raise RowError(RowProblem.NUMBER, column)
    return number


# --- lists of JSON lines --------------------------------------------------------------------------------------------


def _by_list(rules: Sequence[Rule]) -> dict[paths.Path, list[tuple[paths.Path, Rule]]]:
    """Rules under a list, by the path of the innermost list: (path within an element, rule)."""
    groups: dict[paths.Path, list[tuple[paths.Path, Rule]]] = {}
    for rule in rules:
        base, mark, inner = rule.column.rpartition("[]")
        if mark:
            within = paths.parse(inner.lstrip(".")) if inner else ()
            groups.setdefault(paths.parse(base + mark), []).append((within, rule))
    return groups


def _part(element: Any, rules: Sequence[tuple[paths.Path, Rule]]) -> dict[str, Any]:
    """Trait → value of one element of a list."""
    part: dict[str, Any] = {}
    for within, rule in rules:
        for value in paths.walk(element, within):
            text = value.strip() if isinstance(value, str) else value
            if text not in (None, "") and rule.name not in part:
                part[rule.name] = text
    return part
