"""Legal holds: single rows that a claim or a law needs outlive the erasure of their person, and go when the hold ends.

A row that is held leaves its table with everything else: what stays is a sealed copy at the hold, which nothing reads
but compliance staff, with a fresh login, in the audit. Orders that the law keeps stay in their table as stubs without
a person; the erasure places a hold for each, so that it is known per row until when and why. Releasing a hold, by hand
or when its time is up, erases that row for good and is written into the ledger outside of the database.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.forms.models import model_to_dict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, hashing
from cdp_site.core.append_only import erasure_step
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from cdp_site.core.personal_data import BaseHolder, Ground, Outcome, Subject, register_holder
from consent.erasure import ledger_lines
from consent.erasure.ledger_lines import Entry
from consent.models import ConsentEntry, DataSubjectRequest, LegalHold
from consent.states import State
from consent.wording import STATES
from profiles.models import Membership, Order, Profile
from profiles.personal_data import ACCOUNTING_KEEPS, orders_kept

NAME: Final = "consent.holds"
HOLDS: Final = "consent.LegalHold"
ACTOR: Final = "system:holds"
# Before consents and profiles go: what is held is copied from where it stands.
ORDER: Final = 150
MOST_ROWS: Final = 100  # of each table, the newest first, that a screen offers

# What can be held: the model, the path to the record that it hangs on, what tells when it was, and what names it in a
# list, without what it says.
HOLDABLE: Final[Mapping[str, tuple[str, str, str]]] = {
    "profiles.Order": ("record", "placed_at", "external_id"),
    "profiles.Note": ("record", "at", "department"),
    "profiles.Case": ("record", "opened_at", "department"),
    "profiles.Call": ("record", "arrived_at", "source"),
    "profiles.Touchpoint": ("record", "occurred_at", "type"),
    "profiles.SourceRecord": ("", "last_seen_at", "source"),
    "consent.ConsentEntry": ("record", "occurred_at", "state"),
}
# Rows that belong to a held one and are copied with it.
_PARTS: Final = {"profiles.Order": ("lines", "refunds"), "profiles.Case": ("notes",)}


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be held. `key` is what a form posts."""

    label: str
    pk: str
    at: datetime
    text: str

    @property
    def key(self) -> str:
        return f"{self.label}:{self.pk}"


def rows_of(profile: Profile) -> list[Row]:
    """What can be held of a customer, the newest first."""
    records = _records(profile)
    found: list[Row] = []
    for label, (path, at, named_by) in HOLDABLE.items():
        rows = _model(label).filter(**{f"{path or 'pk'}__in": records}).order_by(f"-{at}", "-pk")
        if rows.model._meta.get_field(named_by).is_relation:
            rows = rows.select_related(named_by)
        found += [Row(label, str(row.pk), getattr(row, at), _name(getattr(row, named_by))) for row in rows[:MOST_ROWS]]
    return sorted(found, key=lambda row: row.at, reverse=True)


def _name(said: Any) -> str:
    """In the reader's language."""
    return str(STATES[State(said)] if said in ConsentEntry.State.values else said or "")


def births_of(profile: Profile) -> list[UUID]:
    """The birth profiles of the records that are the customer's now: what `LegalHold.subject` names."""
    found = Profile.objects.filter(birth_record__in=_records(profile)).order_by("pk")
    return list(found.values_list("public_id", flat=True))


def _records(profile: Profile) -> list[int]:
    return list(Membership.objects.filter(profile=profile, valid_to__isnull=True).values_list("record", flat=True))


def held(label: str) -> "models.QuerySet[LegalHold, str]":
    """Primary keys, as text, of the rows of a model that must not go, whatever wants to remove them."""
    return LegalHold.objects.in_force().filter(label=label).order_by().values_list("row", flat=True)


@transaction.atomic
def place(*, profile: Profile, key: str, ground: str, reason: str, until: datetime | None, by: User) -> LegalHold:
    """Hold a row of a customer.

    Args:
        key: `Row.key` of one of `rows_of`.

    Raises:
        MendableError: no such row of the customer, no reason, or an end that has passed.
        ConflictProblem: it is held on this ground already.
    """
    label, _colon, pk = key.partition(":")
    row = next((row for row in rows_of(profile) if row.key == key), None)
    if row is None:
        raise MendableError(_("This row is not the customer's any more."), field="row")
    if not reason.strip():
        raise MendableError(_("Say which claim or duty needs it."), field="reason")
    if until is not None and until <= timezone.now():
        raise MendableError(_("This day has passed."), field="until")
    path = HOLDABLE[label][0]
    birth = f"{path}__birth_profile__public_id" if path else "birth_profile__public_id"
    hold = LegalHold(
        label=label,
        row=pk,
        subject=_model(label).filter(pk=pk).values_list(birth, flat=True).get(),
        ground=ground,
        reason=reason.strip(),
        placed_at=timezone.now(),
        placed_by=by,
        until=until,
    )
    try:
        with transaction.atomic():
            hold.save()
    except IntegrityError as error:
        raise ConflictProblem(_("This row is held on this ground already.")) from error
    audit.record(action="hold.place", target=hold, by=by, fields=["label", "ground", "reason", "until"])
    return hold


@transaction.atomic
def release(*, hold_id: UUID, by: User | str) -> LegalHold:
    """End a hold. Of a person who was erased meanwhile the row goes now, for good.

    Raises:
        ConflictProblem: it was released already.
    """
    hold: LegalHold = LegalHold.objects.select_for_update().get(pk=hold_id)
    if hold.released_at is not None:
        raise ConflictProblem(_("This hold was released already."))
    hold.released_at, hold.released_by = timezone.now(), by if isinstance(by, User) else None
    hold.copy, hold.reason, hold.subject = None, "", None
    hold.save()
    audit.record(action="hold.release", target=hold, by=by, fields=["released_at"])
    if hold.request_id is not None:
        _erase_row(hold, hold.request_id)
    return hold


def end_due() -> int:
    """Release the holds whose time is up; returns how many. For the clock."""
    due = list(LegalHold.objects.over(timezone.now()).values_list("pk", flat=True))
    for hold_id in due:
        release(hold_id=hold_id, by=ACTOR)
    return len(due)


def release_again(entries: Iterable[Entry]) -> int:
    """After a restore: what was released since the backup; returns how many holds that were."""
    released = {(entry.key_id, row) for entry in entries for row in entry.rows}
    key_ids = {key_id for key_id, _row in released}
    due = [
        hold.pk
        for hold in LegalHold.objects.in_force()
        if any((key_id, ledger_lines.row_hash(hold.label, hold.row, key_id=key_id)) in released for key_id in key_ids)
    ]
    for hold_id in due:
        release(hold_id=hold_id, by=ACTOR)
    return len(due)


@transaction.atomic
def read_copy(hold: LegalHold, *, by: User) -> dict[str, Any]:
    """What the hold keeps of an erased person's row. Raises MendableError when it keeps nothing of its own."""
    if hold.copy is None:
        raise MendableError(_("The row is still in its table, or the hold was released."))
    audit.record(action="hold.read", target=hold, by=by)
    kept: dict[str, Any] = json.loads(hashing.unseal(bytes(hold.copy)))
    return kept


# --- what an erasure does -------------------------------------------------------------------------------------------


class HoldHolder(BaseHolder):
    """Rows that are held. Their copies are taken first of all, and stay with the hold alone."""

    name = NAME
    tables: tuple[str, ...] = (HOLDS,)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {HOLDS: self._holds(subject).count()}

    def preview(self, subject: Subject) -> Outcome:
        return _kept(list(self._holds(subject)))

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._holds(subject).values("label", "ground", "placed_at", "until")
        return {HOLDS: [msgspec.to_builtins(row) for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        request = DataSubjectRequest.objects.filter(
            kind=DataSubjectRequest.Kind.ERASURE, status=DataSubjectRequest.Status.RUNNING
        ).about(subject.public_ids).first()  # fmt: skip
        holds = list(self._holds(subject).select_for_update())
        for hold in holds:
            hold.copy, hold.request, hold.subject = _copy_of(hold), request, None
            hold.save(update_fields=["copy", "request", "subject"])
        _hold_accounts(subject, request)
        return _kept(holds)

    def _holds(self, subject: Subject) -> "models.QuerySet[LegalHold]":
        return LegalHold.objects.in_force().about(subject.public_ids)


def register() -> None:
    register_holder(HoldHolder(), order=ORDER)


def _kept(holds: Sequence[LegalHold]) -> Outcome:
    """Of several grounds the first one stands for all: each hold names its own."""
    return Outcome(kept={HOLDS: (len(holds), holds[0].ground)} if holds else {})


def _hold_accounts(subject: Subject, request: DataSubjectRequest | None) -> None:
    """One hold for each order that stays as a stub, until the Accounting Act lets go of it."""
    LegalHold.objects.bulk_create(
        [
            LegalHold(
                label="profiles.Order",
                row=str(pk),
                ground=Ground.ACCOUNTING,
                placed_at=timezone.now(),
                until=placed_at + ACCOUNTING_KEEPS,
                request=request,
            )
            for pk, placed_at in orders_kept(subject).order_by("pk").values_list("pk", "placed_at")
        ],
        ignore_conflicts=True,
    )


def _copy_of(hold: LegalHold) -> bytes | None:
    row = _model(hold.label).filter(pk=hold.row).first()
    if row is None:
        return None
    values = _values(row)
    for part in _PARTS.get(hold.label, ()):
        values[part] = [_values(one) for one in getattr(row, part).all()]
    return hashing.seal(msgspec.json.encode(values))


def _values(row: models.Model) -> dict[str, Any]:
    said = model_to_dict(row, [one.name for one in row._meta.concrete_fields])
    fixed = {one.name: one.value_from_object(row) for one in row._meta.concrete_fields if not one.editable}
    return {name: _plain(value) for name, value in (said | fixed).items()}


def _plain(value: object) -> object:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if isinstance(value, str | int | float | bool | dict | list | None) else str(value)


def _erase_row(hold: LegalHold, request_id: UUID) -> None:
    """The erasure of one row, again: nothing else holds it now."""
    if LegalHold.objects.in_force().on(hold.label, [hold.row]).exists():
        return
    erased = 0
    with erasure_step(NAME):
        if hold.label == "profiles.Order":
            erased = Order.objects.filter(pk=hold.row, profile__isnull=True).delete()[1].get(hold.label, 0)
    key_id = hashing.current_key_id()
    row = ledger_lines.row_hash(hold.label, hold.row, key_id=key_id)
    ledger_lines.append(Entry(act="released", at=timezone.now(), request=request_id, key_id=key_id, rows=(row,)))
    audit.record(
        action="request.erase_held", target=("consent.DataSubjectRequest", request_id), by=ACTOR,
        fields=[hold.label] if erased else [],
    )  # fmt: skip


def _model(label: str) -> "models.QuerySet[Any]":
    return apps.get_model(label)._default_manager.all()
