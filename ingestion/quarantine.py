"""Messages that cannot be used: looked into and discarded by people.

A discarded message stays counted as quarantined, so the account of its source does not change; what it said is gone.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.db import transaction

from cdp_site.core import audit, hashing
from cdp_site.core.access import Permission, may
from cdp_site.core.errors import NotFoundProblem, Text
from cdp_site.core.models import User
from ingestion import messages, wording
from ingestion.models import QuarantinedItem, Source
from ingestion.normalise.sensitive_names import is_sensitive_name
from ingestion.querysets import QuarantinedItemQuerySet

PAGE = 50
SHOWN_CHARACTERS = 20_000  # a body may hold 500 KB; a page that shows all of it helps nobody


@dataclass(frozen=True, slots=True)
class Selection:
    """Open messages of a source that one reason holds back; narrowed to an event and to the field that is wrong unless
    these are None."""

    source: Source
    reason: str
    event: str | None = None
    field: str | None = None

    @property
    def items(self) -> QuarantinedItemQuerySet:
        found = QuarantinedItem.objects.of_source(self.source).open().for_reason(self.reason)
        return found.of_group(self.event, self.field)

    @property
    def narrowed(self) -> dict[str, str]:
        """Event and field, as far as it is narrowed to them."""
        said = {"event": self.event, "field": self.field}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def query(self) -> str:
        """The same for an address, with its question mark."""
        return f"?{urlencode(self.narrowed)}" if self.narrowed else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Open items of one source with one reason, event and field."""

    source_id: int
    source_name: str
    reason: str
    event: str
    field: str
    text: Text
    n: int
    first_at: datetime
    last_at: datetime

    @property
    def query(self) -> str:
        return "?" + urlencode({"event": self.event, "field": self.field})


def groups(*, by: User) -> list[Group]:
    """Groups of what the user may see: sources by name, within a source the largest group first. One query."""
    return [
        Group(
            source_id=row["source"],
            source_name=row["source__name"],
            reason=row["reason"],
            event=row["event"],
            field=row["field"],
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


def page(selection: Selection, *, before: int | None) -> Page:
    """A page of a group, of the items older than `before`. One query."""
    found = selection.items.newest_first()
    if before is not None:
        found = found.older_than(before)
    items = list(found.with_place().without_payload()[: PAGE + 1])
    return Page(tuple(items[:PAGE]), items[PAGE - 1].pk if len(items) > PAGE else None)


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
    text = form_of(raw) if is_masked else legible(raw)
    audit.record(
        action="quarantine.open_masked" if is_masked else "quarantine.open", target=item, by=by, fields=["payload"]
    )
    return Content(text[:SHOWN_CHARACTERS], is_masked, len(text) > SHOWN_CHARACTERS)


def legible(raw: bytes) -> str:
    """A message as a person reads it: indented where it is JSON, without what sounds sensitive: that is not needed to
    mend it."""
    text = raw.decode("utf-8", "replace").replace("\0", "␀")
    try:
        return _indented(_without_sensitive(json.loads(text)))
    except (ValueError, RecursionError):
        return text


def _without_sensitive(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: MASK if is_sensitive_name(name) else _without_sensitive(inner) for name, inner in value.items()}
    return [_without_sensitive(inner) for inner in value] if isinstance(value, list) else value


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


LOOKED_INTO: Final = 20  # messages whose fields are suggested


def decoded_samples(selection: Selection) -> list[Any]:
    """The newest messages of a group that can be decoded, for the names of their fields; no value of them is shown."""
    found = []
    for payload in selection.items.newest_first().values_list("payload", flat=True)[:LOOKED_INTO]:
        try:
            found.append(json.loads(hashing.unseal(bytes(payload))))
        except (ValueError, RecursionError):
            continue
    return found


def events(selection: Selection) -> list[str]:
    """Events of a source's held messages of this reason."""
    held = Selection(selection.source, selection.reason).items
    return sorted(set(held.values_list("event", flat=True).distinct()) - {""})


# --- discarding -----------------------------------------------------------------------------------------------------


@transaction.atomic
def discard(*, item: QuarantinedItem, by: User | str) -> bool:
    """Give one item up: what it said goes, that it came stays. False when somebody else was faster."""
    if not QuarantinedItem.objects.filter(pk=item.pk).open().give_up():
        return False
    audit.record(action="quarantine.discard", target=item, by=by, fields=["status", "payload"])
    return True


@transaction.atomic
def discard_group(*, selection: Selection, up_to: int, by: User | str) -> int:
    """Give up the open items of a group that came no later than the item `up_to`, the last one that the user was told
    of; returns how many. One UPDATE and one audit row, whose target names source, reason and last item."""
    n = selection.items.up_to(up_to).give_up()
    if n:
        target = (QuarantinedItem._meta.label, f"{selection.source.pk}:{selection.reason}:{up_to}")
        audit.record(action="quarantine.discard_group", target=target, by=by, fields=["status", "payload"])
    return n
