"""Messages as they are landed: decoded, checked one by one, each either usable or with the reason why not.

The same check answers a single bad call with 400 at the door and puts a bad item of a batch into quarantine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cdp_site.core import hashing
from cdp_site.core.errors import Text
from ingestion import clocks
from ingestion.landing import Claimed, message_uuid
from ingestion.models import InboundBatch
from ingestion.normalise.email import normalise_email
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from ingestion.normalise.phone import normalise_phone
from ingestion.normalise.text import unusable
from ingestion.normalise.traits import GLOBAL, normalise_traits
from ingestion.normalise.values import Problem

TYPES: Final = ("identify", "track", "page", "screen", "alias", "group")
PRODUCT: Final = "product"  # of a file alone: what is sold, without a person
MAX_ID_LENGTH: Final = 200  # SourceRecord.external_id
MAX_MESSAGE_ID_LENGTH: Final = 100  # Segment's limit
MAX_EVENT_NAME_LENGTH: Final = 100  # EventType.name


class Reason(StrEnum):
    """Why a message cannot be used; stored with the item. The digest adds its own (`REASON_TEXTS`)."""

    MALFORMED = "malformed"
    WRONG_TYPE = "wrong_type"
    MISSING = "missing"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    UNSTORABLE = "unstorable"
    TIME = "time"
    FAILED = "failed"
    PLAN = "plan"
    UNTRANSLATED = "untranslated"


REASON_TEXTS: dict[str, Text] = {
    Reason.MALFORMED: _("Not valid JSON"),
    Reason.WRONG_TYPE: _("A field has the wrong type"),
    Reason.MISSING: _("A required field is missing"),
    Reason.TOO_LARGE: _("The event is larger than 32 KB"),
    Reason.TOO_LONG: _("An id or name is too long"),
    Reason.UNSTORABLE: _("It holds a character or number that cannot be stored"),
    Reason.TIME: _("A time cannot be read"),
    Reason.FAILED: _("Processing failed three times"),
    Reason.PLAN: _("It does not follow the tracking plan"),
    Reason.UNTRANSLATED: _("A webhook's report could not be translated"),
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """A message that cannot be used. `detail` says where and what was expected, in English; never the value."""

    place: int
    reason: str
    detail: str
    raw: bytes


class Message(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """One call of the Tracking API, or one row of a file in the same form.

    `cdp` is what our own doors know beyond Segment's fields (record, identifiers, consents, order); it is empty in
    messages of the event API, whatever they say.
    """

    type: str
    message_id: str | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    previous_id: str | int | None = None
    group_id: str | int | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    traits: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None
    timestamp: str | None = None
    original_timestamp: str | None = None
    sent_at: str | None = None
    channel: Any = None
    cdp: dict[str, Any] | None = None

    def person(self) -> dict[str, Any]:
        """What the message says about the person: `context.traits`, and of an identify call its `traits`, which win.

        RudderStack's server SDKs send the traits of an identify call in the context alone."""
        traits = (self.context or {}).get("traits")
        told = traits if isinstance(traits, dict) else {}
        if self.type == "identify" and self.traits:
            return {**told, **self.traits} if told else self.traits
        return told


@dataclass(frozen=True, slots=True)
class Item:
    """A usable message. `place` is its index in the batch or its line in the file, `id` that of its touchpoint
    (`landing.message_uuid`)."""

    place: int
    id: UUID
    message: Message
    clocks: clocks.Clocks
    raw: bytes


class UnusableMessage(ValueError):
    """Why one message cannot be used: `reason` is a code, `detail` says where and what was expected, `field` names
    the culprit where there is one."""

    def __init__(self, reason: str, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.field = field


_decoder: Final = msgspec.json.Decoder(Message)
_split: Final = msgspec.json.Decoder(list[msgspec.Raw])


def read(batch: Claimed) -> Iterator[Item | Rejection]:
    """The items of a batch in order, each usable or not. Pure but for the settings' size limit.

    An item without a messageId gets one from its place in the batch: the digest takes it once, but when the sender
    sends it again it is a new one (Segment's own rule).
    """
    from_api = batch.door == InboundBatch.Door.API
    for index, part in enumerate(_split.decode(batch.raw)):
        raw = bytes(part)
        try:
            message = parse(raw, from_api=from_api)
            times = _clocks(message, batch)
        except UnusableMessage as problem:
            place = index if from_api else _line_in(raw, index)
            yield Rejection(place, problem.reason, problem.detail, raw)
            continue
        place = _line(message.cdp, index)
        message_id = message.message_id or unnamed(batch.id, index)
        yield Item(place, message_uuid(batch.source_id, message_id), message, times, raw)


def item(batch: Claimed, raw: bytes, place: int) -> Item | Rejection:
    """One message of a batch by itself, e.g. as a correction rule leaves it; without a messageId it is known by its
    place."""
    try:
        message = parse(raw, from_api=batch.door == InboundBatch.Door.API)
        times = _clocks(message, batch)
    except UnusableMessage as problem:
        return Rejection(place, problem.reason, problem.detail, raw)
    message_id = message.message_id or unnamed(batch.id, place)
    return Item(place, message_uuid(batch.source_id, message_id), message, times, raw)


def unnamed(batch_id: int, place: int) -> str:
    """Stands for the messageId of a message that came without one. No sender can take it first: NUL is refused."""
    return f"\0{batch_id}:{place}"


def parse(raw: bytes, *, from_api: bool) -> Message:
    """The message in a JSON text, checked. Raises UnusableMessage."""
    if from_api and len(raw) > settings.TRACKING_MAX_EVENT_BYTES:
        limit = settings.TRACKING_MAX_EVENT_BYTES // 1024
        raise UnusableMessage(Reason.TOO_LARGE, f"{len(raw)} bytes; at most {limit} KB")
    try:
        message = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _wrong_form(raw, str(error)) from error
    except UnicodeDecodeError as error:
        raise UnusableMessage(Reason.MALFORMED, f"not valid UTF-8 (byte {error.start} of a text)") from error
    except msgspec.DecodeError as error:
        raise UnusableMessage(Reason.MALFORMED, str(error)) from error
    except RecursionError as error:
        raise UnusableMessage(Reason.UNSTORABLE, "nested too deep") from error
    _check_storable(raw)
    if from_api:
        message.cdp = None
    _check_fields(message)
    return message


def _wrong_form(raw: bytes, error: str) -> UnusableMessage:
    if raw.startswith(b'"{'):
        # The door could not split the envelope with this item in it and kept it as a text (tracking_api).
        return UnusableMessage(Reason.UNSTORABLE, "a lone surrogate or a number out of range")
    reason = Reason.MISSING if "missing required field" in error else Reason.WRONG_TYPE
    if "out of range" in error:
        reason = Reason.UNSTORABLE
    return UnusableMessage(reason, error, field_in(error))


def field_in(error: str) -> str | None:
    """The field that msgspec's message names: "… - at `$.event`" or "… required field `type`"."""
    _before, _mark, path = error.rpartition("`$.")
    if path and _mark:
        return path.rstrip("`")
    return error.split("`")[1] if "required field `" in error else None


_STATED_FIELD: Final = re.compile(r"([a-z_][\w$-]*(?:\[(?:\d+|\.\.\.)?\]|\.[^.:]+?)*)(?:: | is )")
_PLACE_IN_LIST: Final = re.compile(r"\[(?:\d+|\.\.\.)\]")


def field_of(detail: str) -> str:
    """The field that a rejection's `detail` speaks of, "properties.products[].price"; empty when it names none."""
    stated = _STATED_FIELD.match(detail)
    field = field_in(detail) or (stated[1] if stated else "")
    return _PLACE_IN_LIST.sub("[]", field)[:120]


_DEEP_ENOUGH_TO_COUNT: Final = 64  # brackets: fewer cannot nest deeper than normalise.text.MAX_DEPTH


def _check_storable(raw: bytes) -> None:
    """PostgreSQL takes no NUL in a text, and nothing nested thousands deep."""
    if b"\\u0000" in raw or raw.count(b"{") + raw.count(b"[") > _DEEP_ENOUGH_TO_COUNT:
        problem = unusable(msgspec.json.decode(raw))
        if problem is Problem.NUL_BYTE:
            raise UnusableMessage(Reason.UNSTORABLE, "a NUL character (\\u0000)")
        if problem is not None:
            raise UnusableMessage(Reason.UNSTORABLE, problem.value.replace("_", " "))


def _check_fields(message: Message) -> None:
    if message.cdp and message.cdp.get("problem"):
        raise UnusableMessage(Reason.UNTRANSLATED, str(message.cdp["problem"]))
    kind = message.type
    if kind == PRODUCT and message.cdp:
        return
    if kind not in TYPES:
        raise UnusableMessage(Reason.WRONG_TYPE, f"type is one of {', '.join(TYPES)}", "type")
    if message.message_id is not None and len(message.message_id) > MAX_MESSAGE_ID_LENGTH:
        raise UnusableMessage(Reason.TOO_LONG, f"messageId: at most {MAX_MESSAGE_ID_LENGTH} characters", "messageId")
    user, device = message.user_id, message.anonymous_id
    _check_length("userId", user)
    _check_length("anonymousId", device)
    if message.previous_id is not None or message.group_id is not None:
        _check_length("previousId", message.previous_id)
        _check_length("groupId", message.group_id)
    if user in _NOTHING and device in _NOTHING and not (message.cdp and message.cdp.get("record")):
        raise UnusableMessage(Reason.MISSING, "userId or anonymousId is required", "userId")
    if kind == "track":
        if not message.event or not message.event.strip():
            raise UnusableMessage(Reason.MISSING, "event is required", "event")
        if len(message.event) > MAX_EVENT_NAME_LENGTH:
            raise UnusableMessage(Reason.TOO_LONG, f"event: at most {MAX_EVENT_NAME_LENGTH} characters", "event")
    elif kind == "alias":
        if not (message.previous_id and message.user_id):
            raise UnusableMessage(Reason.MISSING, "alias needs previousId and userId", "previousId")
    elif kind == "group" and not message.group_id:
        raise UnusableMessage(Reason.MISSING, "groupId is required", "groupId")


_NOTHING: Final = (None, "")


def _check_length(field: str, value: str | int | None) -> None:
    if isinstance(value, str) and len(value) > MAX_ID_LENGTH:
        raise UnusableMessage(Reason.TOO_LONG, f"{field}: at most {MAX_ID_LENGTH} characters", field)


def _line(cdp: dict[str, Any] | None, index: int) -> int:
    line = (cdp or {}).get("line")
    return line if isinstance(line, int) else index


def _line_in(raw: bytes, index: int) -> int:
    """The line of a file's row that could not be read as a message."""
    try:
        return _line(_as_dict(_as_dict(msgspec.json.decode(raw)).get("cdp")), index)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return index


def _clocks(message: Message, batch: Claimed) -> clocks.Clocks:
    sent_at = batch.sent_at
    if message.sent_at:
        # An unreadable sentAt corrects nothing; the event itself is still good.
        sent_at = clocks.parse_or_none(message.sent_at) or sent_at
    try:
        return clocks.read(
            received_at=batch.received_at,
            timestamp=message.timestamp,
            original_timestamp=message.original_timestamp,
            sent_at=sent_at,
        )
    except clocks.UnreadableTime as error:
        raise UnusableMessage(Reason.TIME, f"{error.field} is no ISO 8601 time since 1970", error.field) from error


# --- whose it may be, when it cannot be used ----------------------------------------------------------------------

_EMAIL: Final = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"(?<![\d.])\+?\d(?:[\d ()-]{7,16})\d(?![\d.])")
_MOST_KEYS: Final = 50


def subject_keys(raw: bytes, namespace: str, *, region: str = "TH") -> list[bytes]:
    """Keyed hashes of the identifiers that an unusable message may hold, so that an erasure finds it in quarantine.

    What can be decoded is read as a message; besides, whatever looks like an e-mail address or a phone number anywhere
    in the text counts. `namespace` is the source's short name.
    """
    text = raw.decode("utf-8", "replace")
    found = {("email", GLOBAL, normalise_email(match[0]).value) for match in _EMAIL.finditer(text)}
    found |= {("phone", GLOBAL, normalise_phone(match[0], region=region).value) for match in _PHONE.finditer(text)}
    try:
        message = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = None
    if isinstance(message, dict):
        found |= _named_identifiers(message, namespace)
    return [hashing.identifier_key(*key) for key in sorted(found)[:_MOST_KEYS]]


def _named_identifiers(message: dict[str, Any], namespace: str) -> set[tuple[str, str, str]]:
    ours = _as_dict(message.get("cdp"))
    ids = [
        ("user", message.get("userId")),
        ("device", message.get("anonymousId")),
        ("device", message.get("previousId")),
        ("record", message.get("userId") or message.get("anonymousId")),
        ("record", _as_dict(ours.get("record")).get("external_id")),
    ]
    found = {(kind, namespace, str(value)) for kind, value in ids if isinstance(value, str | int) and value != ""}
    for person in (message.get("traits"), _as_dict(message.get("context")).get("traits")):
        for stated in normalise_traits(_as_dict(person)).identifiers:
            kind = KIND_OF_TRAIT.get(stated.kind, stated.kind)
            found.add((kind, GLOBAL if stated.namespace == GLOBAL else namespace, stated.value.value))
    return found


def _as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
