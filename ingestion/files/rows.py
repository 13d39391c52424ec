"""From a row to a message: the mapping at work. Pure.

One row is one message. Its messageId is made of what it says, so that an event imported again is a duplicate; equal
rows of one file without an id of their own are told apart by their ordinal (the second of two is "1"). A row that says
how something is (a person, a line of an order) is told anew by each import, since it may have changed to and fro: the
digest finds out whether it still says anything new.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

import msgspec

from ingestion.files import consents, elements, paths, steps
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
from ingestion.files.steps import Dates, StepProblem
from ingestion.normalise.dates import normalise_date, parse_timestamp
from ingestion.normalise.thai import ascii_digits
from ingestion.normalise.values import placeholder_problem

PRODUCT: Final = "product"  # the type of a message that tells of a product, and of no person
_SEVERAL: Final = re.compile(r"\s*[,;|]\s*")
ORDER_EVENT: Final = "Order Completed"
# Rows by which an order comes to be say how it is; a refund or a cancellation has happened.
STATE_EVENTS: Final = frozenset({"Order Placed", ORDER_EVENT})
MAX_ID_LENGTH: Final = 200
MAX_EVENT_LENGTH: Final = 100
_DATES: Final = frozenset({"birth_date", "created_at"})
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
        import_id: of the import that the rows belong to.
    """

    def __init__(
        self,
        mapping: FieldMapping,
        *,
        columns: Sequence[str] | None,
        zone: tzinfo,
        ordinal: Ordinal,
        seal: Seal,
        import_id: str = "",
    ) -> None:
        self.mapping = mapping
        self._import_id = f"{import_id}:" if import_id else ""
        self._zone = zone
        self._ordinal = ordinal
        self._seal = seal
        self._places = {name: place for place, name in enumerate(columns)} if columns is not None else None
        self._dates = Dates(mapping.date_order, mapping.two_digit_years)
        self._values = {rule: self._getter(rule) for rule in mapping.rules}
        self._whens = {rule: self._text_of(rule.asked.when_column) for rule in mapping.rules if rule.asked.when_column}
        self._plain_traits = [
            (rule, self._values[rule], rule.splits_name)
            for rule in mapping.of(Target.TRAIT)
            if columns is not None or "[]" not in rule.column
        ]
        self._grouped_traits = elements.by_list(mapping.of(Target.TRAIT), self._changes) if columns is None else {}
        self._identifiers = mapping.of(Target.IDENTIFIER)
        self._consents = mapping.of(Target.CONSENT)
        self._proofs = {rule: consents.proof(rule.asked, column=rule.column) for rule in self._consents}
        self._properties = mapping.of(Target.PROPERTY)
        self._order = mapping.of(Target.ORDER)
        self._line = mapping.of(Target.LINE)
        self._statement = {rule.name: rule for rule in mapping.of(Target.STATEMENT)}
        self._one = {rule.to: rule for rule in mapping.rules}
        self._has_line_id = any(rule.name == "line_id" for rule in self._line)

    def message(self, cells: Any, line: int) -> dict[str, Any]:
        """The message of one row, JSON-ready. Raises RowError."""
        if self.mapping.rows is RowKind.PRODUCTS:
            return self._product_message(cells, line)
        message = self._said(cells)
        ours: dict[str, Any] = {}
        if identifiers := [found for rule in self._identifiers for found in self._identifier(rule, cells)]:
            ours["identifiers"] = identifiers
        if stated := self._stated(message, cells):
            ours["consents"] = stated
        record_id = self._record_id(cells)
        if record_id is None and Target.RECORD_ID in self._one and not self.mapping.keeps_unknown:
            raise RowError(RowProblem.NO_ID, self._one[Target.RECORD_ID].column)
        if record_id is not None:
            ours["record"] = {"external_id": record_id}
        if anonymous_id := self._id(Target.ANONYMOUS_ID, cells):
            message["anonymousId"] = anonymous_id
        elif record_id is None and self.mapping.keeps_unknown and self.mapping.rows is RowKind.ORDERS:
            anonymous_id = message["anonymousId"] = f"order:{message['properties']['order_id']}"[:MAX_ID_LENGTH]
        message["cdp"] = ours
        key = self._key(message, cells, has_record=record_id is not None)
        told_by = self._import_id if self._says_how_it_is(message) else ""
        message["messageId"] = f"row:{self.mapping.rows.value}:{told_by}{key}"
        if record_id is None and not anonymous_id:
            if self.mapping.keeps_unknown:
                message["anonymousId"] = f"row:{key}"
            else:
                ours["record"] = {"external_id": f"row:{key}"}
        ours["line"] = line
        return message

    def _says_how_it_is(self, message: Mapping[str, Any]) -> bool:
        rows = self.mapping.rows
        return rows is RowKind.PEOPLE or (rows is RowKind.ORDERS and message["event"] in STATE_EVENTS)

    def _said(self, cells: Any) -> dict[str, Any]:
        traits = self._traits(cells)
        message: dict[str, Any]
        if self.mapping.rows in (RowKind.PEOPLE, RowKind.CONSENTS):
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
        read = self._column(rule.column)
        if not rule.steps:
            return read
        change = self._changes(rule)

        def changed(cells: Any) -> Any:
            value = read(cells)
            if isinstance(value, list):
                return [change(one, cells) for one in value if not isinstance(one, dict | list)]
            found = change(value, cells)
            return _ABSENT if found is None and value is _ABSENT else found

        return changed

    def _column(self, column: str) -> Callable[[Any], Any]:
        """What reads a column, or a path of a JSON line."""
        if self._places is not None:
            place = self._places[column]
            return lambda cells: cells[place].strip() or None
        path, is_list = paths.parse(column), "[]" in column

        def at_path(cells: Any) -> Any:
            values = paths.walk(cells, path)
            value = values if is_list else (values[0] if values else _ABSENT)
            return (value.strip() or None) if isinstance(value, str) else value

        return at_path

    def _changes(self, rule: Rule) -> Callable[[Any, Any], Any]:
        """What takes a value of the rule through its steps: (value, row) → text, number, or None for nothing."""
        run = steps.chain(rule.steps, dates=self._dates, text_of=self._text_of)
        as_number = rule.is_number and rule.to is Target.TRAIT

        def change(value: Any, cells: Any) -> Any:
            try:
                text = run(_as_text(value), cells)
            except StepProblem as problem:
                raise RowError(problem.problem, rule.column) from problem
            return (_json_number(text) if as_number else text) if text else None

        return change

    def _text_of(self, column: str) -> Callable[[Any], str]:
        read = self._column(column)
        return lambda cells: _as_text(read(cells))

    def _value(self, rule: Rule, cells: Any) -> Any:
        return self._values[rule](cells)

    def _text(self, rule: Rule, cells: Any) -> str:
        """The value as one line of text; empty for nothing, for lists of nothing and for objects."""
        value = self._values[rule](cells)
        return value if value.__class__ is str else _as_text(value)

    def text_at(self, column: str, cells: Any) -> str:
        """What stands in a column of the row."""
        return self._text_of(column)(cells)

    def doubts(self, cells: Any) -> dict[str, str]:
        """Name of a trait or property → code of why a step left its value as it came. For looking ahead."""
        found: dict[str, str] = {}
        for rule in self.mapping.rules:
            if rule.steps and rule.constant is None:
                text = _as_text(self._column(rule.column)(cells))
                for step in rule.steps:
                    if code := steps.doubt(step, text, self._dates):
                        found[rule.name] = code
                    text = steps.chain([step], dates=self._dates, text_of=self._text_of)(text, cells)
        return found

    def _record_id(self, cells: Any) -> str | None:
        """The record id; of rows that may belong to somebody unknown a hidden one ("s***y") is none."""
        found = self._id(Target.RECORD_ID, cells)
        return None if found and self.mapping.keeps_unknown and placeholder_problem(found) else found

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
        return self._moment(text, rule.column).isoformat()

    def _moment(self, text: str, column: str) -> datetime:
        moment = parse_timestamp(
            text, zone=self._zone, order=self._dates.order, two_digit_years=self._dates.two_digit_years
        )
        if moment is None:
            raise RowError(RowProblem.TIME, column)
        return moment

    # --- the person

    def _traits(self, cells: Any) -> dict[str, Any]:
        traits: dict[str, Any] = {}
        clears = self.mapping.empty_clears
        for rule, read, splits in self._plain_traits:
            value = read(cells)
            if value is _ABSENT or (value in (None, "", []) and not clears):
                continue
            if splits and isinstance(value, str):
                for part, text in steps.name_parts(value).items():
                    self._add_trait(traits, part, text)
            else:
                self._add_trait(traits, rule.name, value)
        for base, rules in self._grouped_traits.items():
            found = [elements.part(element, rules, cells) for element in paths.walk(cells, base)]
            for name, value in elements.traits(found):
                self._add_trait(traits, name, value)
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

    # --- consents

    def _stated(self, message: Mapping[str, Any], cells: Any) -> list[dict[str, Any]]:
        """What the row says about consent: a column each, or the one statement that the row is."""
        if self._statement:
            found = self._row_statement(message, cells)
            return [found] if found else []
        return [found for rule in self._consents if (found := self._consent(rule, cells))]

    def _consent(self, rule: Rule, cells: Any) -> dict[str, Any] | None:
        """A filled cell is a statement; an empty one says that the person was never asked."""
        asked = rule.asked
        state = self._state(rule, cells)
        if state is None:
            return None
        at = None
        if asked.is_dated:
            column = asked.when_column
            text = (self._whens[rule](cells) if column else "") or asked.when
            at = self._asked_at(text, state, column)
        return consents.cell(asked, state, at=at, proof=self._proofs[rule])

    def _row_statement(self, message: Mapping[str, Any], cells: Any) -> dict[str, Any] | None:
        said = {name: self._text(rule, cells) for name, rule in self._statement.items()}
        for name in ("purpose", "channel"):
            if not said[name]:
                raise RowError(RowProblem.CONSENT, self._statement[name].column)
        rule = self._statement["state"]
        state = self._state(rule, cells)
        if state is None:
            return None
        asked = replace(
            rule.asked,
            purpose=said["purpose"].casefold(),
            channel=consents.channel_of(said["channel"]),
            notice_version=said.get("notice_version", "")[:40] or rule.asked.notice_version,
            language=said.get("language", "")[:5] or rule.asked.language,
            how=said.get("how") or rule.asked.how,
            where=said.get("where") or rule.asked.where,
        )
        at = self._asked_at(message.get("timestamp", ""), state, self._one[Target.TIMESTAMP].column)
        proof = consents.proof(asked, reference=said.get("reference", ""))
        found = consents.cell(asked, state, at=at, proof=proof)
        return {**found, "address": said["address"]} if said.get("address") else found

    def _state(self, rule: Rule, cells: Any) -> str | None:
        try:
            return consents.state_of(rule.asked, self._text(rule, cells))
        except KeyError as error:
            raise RowError(RowProblem.CONSENT, rule.column) from error

    def _asked_at(self, text: str, state: str, column: str) -> datetime | None:
        said = self._moment(text, column) if text else None
        try:
            return consents.moment(said, state, self._zone)
        except LookupError as error:
            raise RowError(RowProblem.TIME, column) from error

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

    def _product_message(self, cells: Any, line: int) -> dict[str, Any]:
        """A product of a catalogue: it has no person, and the same row is the same message."""
        product: dict[str, Any] = {}
        for rule in self.mapping.of(Target.PRODUCT):
            if text := self._amount_or_text(rule, cells):
                product[rule.name] = _SEVERAL.split(text) if rule.name == "synonyms" else text
        if "sku" not in product:
            raise RowError(RowProblem.NO_ID, next(r.column for r in self.mapping.rules if r.name == "sku"))
        product["attributes"] = {
            rule.name: text for rule in self.mapping.of(Target.ATTRIBUTE) if (text := self._text(rule, cells))
        }
        digest = hashlib.blake2b(msgspec.json.encode(product), digest_size=16).hexdigest()
        return {
            "type": PRODUCT,
            "messageId": f"row:{self.mapping.rows.value}:{digest}",
            "cdp": {"product": product, "line": line},
        }

    def _amount_or_text(self, rule: Rule, cells: Any) -> str:
        text = self._text(rule, cells)
        if text and rule.name in NUMERIC_FIELDS:
            return text if _PLAIN_NUMBER.fullmatch(text) else _number(text, rule.column)
        return text[:MAX_ID_LENGTH]

    def _property(self, rule: Rule, cells: Any) -> Any:
        if rule.type == "text":
            value = self._value(rule, cells)
            return None if value is _ABSENT else value
        text = self._text(rule, cells)
        if not text:
            return None
        if rule.type == "number":
            if text.isdecimal() and text.isascii() and len(text) <= 12:  # as most are
                return int(text)
            return _json_number(_number(text, rule.column))
        word = text.casefold()
        return True if word in _TRUE else False if word in _FALSE else text


def _as_text(value: Any) -> str:
    """A cell or JSON value as one line of text; empty for nothing and for objects."""
    if isinstance(value, list):
        value = next((one for one in value if one not in (None, "")), None)
    if value is None or value is _ABSENT or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _number(text: str, column: str) -> str:
    """A number as shops write it, in plain digits."""
    try:
        return steps.plain_number(text)
    except StepProblem as problem:
        raise RowError(problem.problem, column) from problem


def _json_number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)
