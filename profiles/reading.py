"""From a landed message to what the digest writes: whose it is, what it says, what happened. No database.

The message's form has been checked by `ingestion.messages`; here is what it means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from cdp_site.core.errors import InternalError
from ingestion.landing import Claimed, message_uuid
from ingestion.messages import Item, Message, Reason, Rejection
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT, namespace_of
from ingestion.normalise.traits import NormalisedTraits, normalise_traits
from ingestion.normalise.values import Problem, placeholder_problem
from profiles import accounts, circumstances, identifiers, orders, signals
from profiles.models import SourceRecord
from profiles.passing import DEVICE, Passing
from profiles.statements import RecordKey, SourceFacts, StatedIdentifier, Statement

PAGE, SCREEN = "Page Viewed", "Screen Viewed"
# Segment-style events by which a customer says yes or no.
CONSENT_EVENTS: Mapping[str, str] = {
    "Consent Granted": "granted",
    "Consent Refused": "refused",
    "Consent Withdrawn": "withdrawn",
}
_IDENTIFIED: Final = SourceRecord.Kind.IDENTIFIED.value
_ANONYMOUS: Final = SourceRecord.Kind.ANONYMOUS.value
# Countries tried for a phone number that is none in the source's own.
FALLBACK_REGIONS = ("TH", "US")


# Traits by which somebody is reached, and what makes a value useless for that.
REACHING = frozenset({"email", "phone"})
UNREACHABLE = frozenset({Problem.MALFORMED, Problem.MASKED})


@dataclass(frozen=True, slots=True)
class StatedConsent:
    """A statement on consent before its record is known."""

    purpose: str
    channel: str
    address: str
    state: str
    origin: str
    notice_version: str
    language: str
    evidence: Mapping[str, Any]
    occurred_at: datetime | None = None  # None: when the message was


@dataclass(frozen=True, slots=True)
class Draft:
    """A message, understood: what will be written if it is neither duplicate nor suppressed."""

    batch: Claimed
    item: Item
    source: SourceFacts
    statement: Statement
    event: str | None = None
    properties: Mapping[str, Any] | None = None
    touchpoint_id: UUID | None = None
    order: orders.StatedOrder | None = None
    consents: tuple[StatedConsent, ...] = ()
    account: accounts.StatedAccount | None = None

    @property
    def has_own_touchpoint(self) -> bool:
        """False where another row, or none, stands for the message: then a tombstone remembers it."""
        return self.touchpoint_id == self.item.id


def read(batch: Claimed, item: Item, source: SourceFacts) -> Passing | Draft | Rejection:
    """Understand one message. A Rejection says why it cannot be used; nothing of it is written then."""
    return _passing(batch, item, source) or _draft(batch, item, source)


def in_full(passing: Passing) -> Draft:
    """The draft of an event that says something new after all."""
    draft = _draft(passing.batch, passing.item, passing.source)
    if isinstance(draft, Rejection):
        raise InternalError(f"an event in passing cannot be rejected: {draft.reason}")
    return draft


_TRACKED: Final = frozenset({"track", "page", "screen"})
_TELLING_EVENTS: Final = frozenset({*CONSENT_EVENTS, *orders.STATUS_OF_EVENT})
_SILENT_PARTS: Final = frozenset({"record", "line"})


def _passing(batch: Claimed, item: Item, source: SourceFacts) -> Passing | None:
    """The message as one that may say nothing new of the person; None when it does for sure."""
    message = item.message
    context, ours = message.context, message.cdp
    tells = (
        message.type not in _TRACKED
        or message.event in _TELLING_EVENTS
        or (context and (context.get("traits") or context.get("groupId")))
        or (ours and not ours.keys() <= _SILENT_PARTS)
    )
    if tells:
        return None
    user_id, device = _usable_id(message.user_id), _usable_id(message.anonymous_id)
    record_id = (_usable_id((ours.get("record") or {}).get("external_id")) if ours else None) or user_id
    if user_id and record_id != user_id:
        return None
    event, properties = _event(message)
    if event is None or not (record_id or device):
        return None
    if record_id:
        return Passing(batch, item, source, RecordKey(source.id, _IDENTIFIED, record_id), device, event, properties)
    return Passing(batch, item, source, RecordKey(source.id, _ANONYMOUS, device or ""), None, event, properties)


def _draft(batch: Claimed, item: Item, source: SourceFacts) -> Draft | Rejection:
    message = item.message
    statement = _statement(batch, item, source)
    if statement is None:
        return _reject(item, Reason.MISSING, "userId or anonymousId: a real one is needed, not a placeholder")
    account = accounts.read(
        message, source_id=source.id, occurred_at=item.clocks.occurred_at, is_public_key=batch.is_public_key
    )
    if message.type == "group" and account is None:
        return _reject(item, Reason.MISSING, "groupId: a real one is needed, not a placeholder")
    event, properties = _event(message)
    consents = _consents(message, batch, event, properties)
    for consent in consents:
        problem = signals.consent_problem(consent.purpose, consent.channel, consent.state)
        if problem is not None:
            return _reject(item, problem.reason, problem.detail)
    order = None
    # What a browser says of an order is behaviour; the order itself is what the company's own systems say.
    if event is not None and event in orders.STATUS_OF_EVENT and not batch.is_public_key:
        try:
            order = orders.read(
                source_id=source.id, event=event, occurred_at=item.clocks.occurred_at, properties=properties
            )
        except orders.OrderProblem as problem:
            return _reject(item, Reason.WRONG_TYPE, problem.detail)
    return Draft(
        batch=batch,
        item=item,
        source=source,
        statement=statement,
        event=event,
        properties=properties,
        touchpoint_id=_touchpoint_id(item, event, order),
        order=order,
        consents=consents,
        account=account,
    )


def _reject(item: Item, reason: str, detail: str) -> Rejection:
    return Rejection(place=item.place, reason=reason, detail=detail, raw=item.raw)


def _touchpoint_id(item: Item, event: str | None, order: orders.StatedOrder | None) -> UUID | None:
    if event is None:
        return None
    if order is not None and event in orders.BIRTH_EVENTS:
        return message_uuid(order.source_id, orders.touchpoint_name(order))
    identity: UUID = item.id
    return identity


# --- who ----------------------------------------------------------------------------------------------------------


def _statement(batch: Claimed, item: Item, source: SourceFacts) -> Statement | None:
    message = item.message
    ours = message.cdp or {}
    user_id, device = _usable_id(message.user_id), _usable_id(message.anonymous_id)
    previous = _usable_id(message.previous_id) if message.type == "alias" else None
    record_id = _usable_id((ours.get("record") or {}).get("external_id"))
    stated: list[StatedIdentifier] = []
    own = None
    if record_id or user_id:
        key = RecordKey(source.id, _IDENTIFIED, record_id or user_id or "")
        if user_id:
            own = _id("user", source.slug, user_id)
        stated += [_id(DEVICE, source.slug, used) for used in (device, previous) if used]
        if previous and previous not in (user_id, device) and not batch.is_public_key:
            # An alias does not say whether its former id was a visitor's or a user's. That one record states both user
            # ids is the source's own word that they are one person; a browser's word joins nobody.
            stated.append(_id("user", source.slug, previous))
    elif device:
        key = RecordKey(source.id, _ANONYMOUS, device)
        own = _id(DEVICE, source.slug, device)
    else:
        return None
    person = message.person()
    traits = None
    if person:
        traits = normalise_traits(person, region=source.phone_region, fallback_regions=FALLBACK_REGIONS)
        _clear_unusable(traits)
        stated += identifiers.read(traits.identifiers, namespace=source.slug, is_public_key=batch.is_public_key)
    stated += [_our_identifier(named, source) for named in ours.get("identifiers") or ()]
    return Statement(
        key=key,
        occurred_at=item.clocks.occurred_at,
        received_at=item.clocks.received_at,
        traits=traits,
        identifiers=tuple(stated),
        own=own,
        operation_id=batch.operation_id,
    )


def _clear_unusable(traits: NormalisedTraits) -> None:
    """ "-", "null" and "ไม่มี" say that there is no value, and an address that nothing can reach is none: they must not
    win over another source's real one. What was sent stays with the record's identifiers."""
    for problem in traits.problems:
        is_unreachable = problem.trait in REACHING and problem.code in UNREACHABLE
        if problem.code is not Problem.JUNK and not is_unreachable:
            continue
        shown = traits.attributes.get(problem.trait)
        unusable = {i.value.value for i in traits.identifiers if i.kind == problem.trait and not i.value.evidence}
        usable = [value for value in shown if value not in unusable] if isinstance(shown, list) else []
        traits.attributes[problem.trait] = (usable if len(usable) > 1 else usable[0]) if usable else None


@lru_cache(maxsize=32_768)
def _usable_id(value: str | int | None) -> str | None:
    """The id as text; None for nothing and for placeholders such as "null" and "guest", which many people share."""
    text = "" if value is None else str(value).strip()
    return None if not text or placeholder_problem(text) else text


def _id(kind: str, namespace: str, value: str) -> StatedIdentifier:
    return StatedIdentifier(kind, namespace, value, value, is_evidence=True, problem="")


def _our_identifier(named: Mapping[str, Any], source: SourceFacts) -> StatedIdentifier:
    """An id column of a file, as its mapping names it."""
    value = str(named["value"]).strip()[:254]
    problem = placeholder_problem(value)
    kind = KIND_OF_TRAIT.get(named["kind"], named["kind"])
    shared = named.get("namespace")
    return StatedIdentifier(
        kind=kind,
        namespace=namespace_of(kind, shared) if shared else source.slug,
        value=value,
        raw=str(named.get("raw", value))[:254],
        is_evidence=problem is None,
        problem=problem or "",
    )


# --- what ---------------------------------------------------------------------------------------------------------


def _event(message: Message) -> tuple[str | None, Mapping[str, Any]]:
    properties = message.properties or {}
    if message.type == "track":
        return message.event, {**circumstances.of(message), **properties}
    if message.type in {"page", "screen"}:
        named = {"name": message.name, "category": message.category}
        told = {key: value for key, value in named.items() if value}
        return (PAGE if message.type == "page" else SCREEN), {**circumstances.of(message), **told, **properties}
    return None, properties


# What an event may say of how consent was told, beside its own name: words that are codes.
_TOLD_BY: Mapping[str, frozenset[str]] = {"how": frozenset({"gpc"}), "given_by": frozenset({"guardian"})}


def _how_told(properties: Mapping[str, Any]) -> dict[str, str]:
    return {name: properties[name] for name, words in _TOLD_BY.items() if str(properties.get(name)) in words}


def _consents(
    message: Message, batch: Claimed, event: str | None, properties: Mapping[str, Any]
) -> tuple[StatedConsent, ...]:
    stated = [
        StatedConsent(
            purpose=str(cell.get("purpose", "")),
            channel=str(cell.get("channel", "")),
            address=str(cell.get("address") or ""),
            state=str(cell.get("state", "")),
            origin="cell" if cell.get("cell") else "event",
            notice_version=str(cell.get("notice_version") or "")[:40],
            language=str(cell.get("language") or "")[:5],
            evidence=cell.get("evidence") or {},
            occurred_at=datetime.fromisoformat(cell["at"]) if cell.get("at") else None,
        )
        for cell in (message.cdp or {}).get("consents") or ()
    ]
    if event is not None and event in CONSENT_EVENTS:
        stated.append(
            StatedConsent(
                purpose=str(properties.get("purpose", "")),
                channel=str(properties.get("channel", "")),
                address=str(properties.get("address") or ""),
                state=CONSENT_EVENTS[event],
                origin="event",
                notice_version=str(properties.get("notice_version") or "")[:40],
                language=str(properties.get("language") or "")[:5],
                evidence={"event": event, "door": batch.door, **_how_told(properties)},
            )
        )
    return tuple(stated)
