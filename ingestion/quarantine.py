"""Messages that cannot be used: looked into and discarded by people.

A discarded message stays counted as quarantined, so the account of its source does not change; what it said is gone.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from cdp_site.core import audit, hashing
from cdp_site.core.access import Permission, may
from cdp_site.core.errors import NotFoundProblem, Text
from cdp_site.core.models import User
from ingestion import messages, wording
from ingestion.models import QuarantinedItem, Source

PAGE = 50
SHOWN_CHARACTERS = 20_000  # a body may hold 500 KB; a page that shows all of it helps nobody


@dataclass(frozen=True, slots=True)
class Group:
    """Open items of one source with one reason."""

    source_id: int
    source_name: str
    reason: str
    text: Text
    n: int
    first_at: datetime
    last_at: datetime


def groups(*, by: User) -> list[Group]:
    """Groups of what the user may see: sources by name, within a source the largest group first. One query."""
    return [
        Group(
            source_id=row["source"],
            source_name=row["source__name"],
            reason=row["reason"],
            text=wording.reason(row["reason"]),
            n=row["n"],
            first_at=row["first_at"],
            last_at=row["last_at"],
        )
        for row in QuarantinedItem.objects.visible_to(by).open().by_group()
    ]


@dataclass(frozen=True, slots=True)
class Page:
    """Up to PAGE open items, the newest first; `next` is the key of the page behind it."""

    items: tuple[QuarantinedItem, ...]
    next: int | None


def page(source: Source, reason: str, *, before: int | None) -> Page:
    """A page of a group, of the items older than `before`. One query."""
    found = QuarantinedItem.objects.of_source(source).open().for_reason(reason).newest_first()
    if before is not None:
        found = found.older_than(before)
    items = list(found.with_place().without_payload()[: PAGE + 1])
    return Page(tuple(items[:PAGE]), items[PAGE - 1].pk if len(items) > PAGE else None)


def count(source: Source, reason: str) -> int:
    """How many of a group are open."""
    return QuarantinedItem.objects.of_source(source).open().for_reason(reason).count()


# --- looking into one -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Content:
    """What a message says: clear for those who may see it, else its form with every value masked. `is_cut`: it goes
    on behind SHOWN_CHARACTERS."""

    text: str
    is_masked: bool
    is_cut: bool


def sees_content(user: User) -> bool:
    return may(user, Permission.MANAGE_QUARANTINE) and may(user, Permission.SEE_IDENTIFIERS)


@transaction.atomic
def look_into(*, item: QuarantinedItem, by: User) -> Content:
    """Unseal an item's message for this user; leaves an audit row. Raises NotFoundProblem when it is discarded."""
    if item.payload is None:
        raise NotFoundProblem("What it said has been removed.")
    is_masked = not sees_content(by)
    raw = hashing.unseal(bytes(item.payload))
    text = form_of(raw) if is_masked else _legible(raw)
    audit.record(
        action="quarantine.open_masked" if is_masked else "quarantine.open", target=item, by=by, fields=["payload"]
    )
    return Content(text[:SHOWN_CHARACTERS], is_masked, len(text) > SHOWN_CHARACTERS)


def _legible(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace").replace("\0", "␀")
    try:
        return _indented(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _indented(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


MASK: Final = "••••"
# What looks like a field's name and not like somebody's name, address or number.
_FIELD_NAME: Final = re.compile(r"(?!.*\d{4})[A-Za-z_$][\w$-]{0,39}", re.ASCII)
_MOST_OF_A_LIST: Final = 3


def form_of(raw: bytes) -> str:
    """The fields of a message and nothing that they hold; MASK alone when it is no JSON. Only `type` is shown, when
    it is one of the API's."""
    try:
        message = json.loads(raw)
        masked = _masked(message)
        if isinstance(message, dict) and message.get("type") in messages.TYPES:
            masked["type"] = message["type"]
        return _indented(masked)
    except (ValueError, TypeError, RecursionError):
        return MASK


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name if _FIELD_NAME.fullmatch(name) else MASK: _masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value[:_MOST_OF_A_LIST]] + ["…"] * (len(value) > _MOST_OF_A_LIST)
    return MASK if value is not None else None


# --- discarding -----------------------------------------------------------------------------------------------------


@transaction.atomic
def discard(*, item: QuarantinedItem, by: User | str) -> bool:
    """Give one item up: what it said goes, that it came stays. False when somebody else was faster."""
    if not QuarantinedItem.objects.filter(pk=item.pk).open().give_up():
        return False
    audit.record(action="quarantine.discard", target=item, by=by, fields=["status", "payload"])
    return True


@transaction.atomic
def discard_group(*, source: Source, reason: str, up_to: int, by: User | str) -> int:
    """Give up the open items of a group that came no later than the item `up_to`, the last one that the user was told
    of; returns how many. One UPDATE and one audit row, whose target names source, reason and last item."""
    n = QuarantinedItem.objects.of_source(source).open().for_reason(reason).up_to(up_to).give_up()
    if n:
        target = (QuarantinedItem._meta.label, f"{source.pk}:{reason}:{up_to}")
        audit.record(action="quarantine.discard_group", target=target, by=by, fields=["status", "payload"])
    return n
