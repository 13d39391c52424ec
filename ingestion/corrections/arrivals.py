"""Messages on their way into the digest: corrected before they are checked, held against the tracking plan, and
corrected again when they cannot be used. Without rules and pinned schemas this is `messages.read`.

The same code judges arriving messages, samples on the rule's page and what a replay takes out of quarantine.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.utils import timezone

from cdp_site.core.errors import InternalError
from ingestion import messages, rulebook
from ingestion.corrections import rules
from ingestion.landing import Claimed
from ingestion.messages import Item, Reason, Rejection
from ingestion.plan import names
from ingestion.rulebook import ActiveRule, Book

T = TypeVar("T")
# Understands an item further than ingestion can; a Rejection says why it cannot be used.
Understand = Callable[[Item], T | Rejection]


def read(batch: Claimed) -> Iterator[Item | Rejection]:
    """The items of a batch in order, by the book as the process remembers it (`rulebook.refresh`)."""
    book = rulebook.current()
    before = book.before.get(batch.source_id, ())
    found = messages.read(batch)
    if not before and not book.checks:
        return found
    return (_judged(batch, item, before, book) for item in found)


def _judged(batch: Claimed, item: Item | Rejection, before: Sequence[ActiveRule], book: Book) -> Item | Rejection:
    if before:
        raw = _corrected(before, item.raw)
        if raw is not None:
            # What is held back is held back as it came.
            item = replace(messages.item(batch, raw, item.place), raw=item.raw)
    return item if isinstance(item, Rejection) else _planned(item, item.raw, book)


def _planned(item: Item, raw: bytes, book: Book) -> Item | Rejection:
    """The item, or why it breaks the schema that its event is pinned to."""
    event = names.event_of(item.message)
    check = book.checks.get(event) if event is not None else None
    problem = check(names.properties_of(item.message)) if check is not None else None
    return item if problem is None else Rejection(item.place, Reason.PLAN, str(problem), raw)


def _corrected(active: Sequence[ActiveRule], raw: bytes) -> bytes | None:
    """The message after the rules that are about its event; None when they leave it as it is, or cannot read it."""
    message = decoded(raw)
    if message is None:
        return None
    zone = timezone.get_default_timezone()
    changed = False
    for one in active:
        if one.is_about(names.event_in(message)):
            changed = rules.apply(one.rule, message, zone=zone) or changed
    return msgspec.json.encode(message) if changed else None


def corrected_by(rule: ActiveRule, raw: bytes) -> bytes | None:
    """The message after one rule alone; None when it leaves it as it is."""
    return _corrected([rule], raw)


def decoded(raw: bytes) -> dict[str, Any] | None:
    """The message in a JSON text; None when it is no object that can be decoded."""
    try:
        message = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def event_in(raw: bytes) -> str:
    """The event that a message tells of, as a list and the scope of a rule name it."""
    return names.event_in(decoded(raw))


def mend(batch: Claimed, rejection: Rejection, understand: Understand[T], *, book: Book | None = None) -> T | Rejection:
    """What a message that cannot be used becomes by the rules of its reason: usable, or rejected for what is still
    wrong, with the message as it came. Each rule is applied once at most, the first that fits first; `understand` is
    given an item whose `raw` is the corrected message."""
    book = rulebook.current() if book is None else book
    if not book.after:
        return rejection
    came, applied = rejection.raw, set[UUID]()
    raw = _corrected(book.before.get(batch.source_id, ()), came) or came
    while (rule := _next_rule(book, batch.source_id, rejection.reason, raw, applied)) is not None:
        applied.add(rule.key)
        corrected = _corrected([rule], raw)
        if corrected is None:
            continue
        raw = corrected
        verdict = judge(batch, raw, rejection.place, understand, book)
        if not isinstance(verdict, Rejection):
            return verdict
        rejection = replace(verdict, raw=came)
    return rejection


def _next_rule(book: Book, source_id: int, reason: str, raw: bytes, applied: set[UUID]) -> ActiveRule | None:
    candidates = [rule for rule in book.after.get((source_id, reason), ()) if rule.key not in applied]
    if not candidates:
        return None
    event = event_in(raw)
    return next((rule for rule in candidates if rule.is_about(event)), None)


def judge(batch: Claimed, raw: bytes, place: int, understand: Understand[T], book: Book) -> T | Rejection:
    """One message without any rule: by its form, the plan, and whoever understands more."""
    item = messages.item(batch, raw, place)
    if not isinstance(item, Rejection):
        item = _planned(item, raw, book)
    return item if isinstance(item, Rejection) else understand(item)


# --- what profiles would say ----------------------------------------------------------------------------------------

Objects = Callable[[Claimed, Item], Rejection | None]
_readers: list[Objects] = []


def lend_reading(objects: Objects) -> None:
    """Called once by the app that understands messages: `objects` says why an item could not be digested, or None."""
    if _readers:
        raise InternalError("the reading of messages is lent twice")
    _readers.append(objects)


def fate(batch: Claimed, raw: bytes, place: int, *, book: Book) -> bytes | Rejection:
    """What would become of a message as it came, by this book: the message as it would be digested, or why it
    cannot be. Writes nothing."""

    def understand(item: Item) -> bytes | Rejection:
        problem = next((found for objects in _readers if (found := objects(batch, item)) is not None), None)
        return item.raw if problem is None else problem

    first = _corrected(book.before.get(batch.source_id, ()), raw) or raw
    verdict = judge(batch, first, place, understand, book)
    if not isinstance(verdict, Rejection):
        return verdict
    return mend(batch, replace(verdict, raw=raw), understand, book=book)
