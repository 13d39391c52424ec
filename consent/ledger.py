"""Writing the ledger of consent: nothing else appends to it.

`record` takes what a customer told a member of staff, `record_own_act` what they said on a page of ours, `append` what
messages and files say. What follows from the
entries is asked of `consent.gate`.

An entry that came by a message bears an id made of the message and of what it says: a message that is digested twice is
recorded once. `occurred_at` is the source's clock, never later than `received_at`, which is ours: a clock that runs
ahead must not make a grant that no later refusal can beat.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, InternalError
from cdp_site.core.models import User
from consent import cells
from consent.models import Channel, ConsentEntry, Notice, Purpose, VoidEntry
from consent.states import Origin, State
from ingestion.models import Source
from ingestion.normalise.email import normalise_email
from ingestion.normalise.phone import normalise_phone
from profiles import signals
from profiles.models import Membership, SourceRecord
from profiles.signals import Aspect, ConsentStatement, Touch

DIGEST = "system:digest"
OWN_ACT = "system:privacy-page"
GIVEN_BY, GUARDIAN = "given_by", "guardian"  # in the evidence of a message: said by a parent or guardian
MAX_ADDRESS = 254  # column width; no real address is longer (RFC 5321)


class Evidence(StrEnum):
    """How a customer told a member of staff. The wording is `consent.wording.EVIDENCE`."""

    CALL = "call"
    IN_PERSON = "in_person"
    MESSAGE = "message"
    FORM = "form"


class OwnAct(StrEnum):
    """How a person said it themselves, without a member of staff. The wording is `consent.wording.EVIDENCE`."""

    PREFERENCES = "preferences"
    GPC = "gpc"


@transaction.atomic
def record(
    *,
    record: SourceRecord,
    purpose: Purpose,
    channel: Channel,
    state: State,
    evidence: Evidence,
    by: User,
    addresses: Collection[str] = (),
    supersedes_until: datetime | None = None,
    reference: str = "",
    by_guardian: bool = False,
    notice: Notice | None = None,
) -> list[ConsentEntry]:
    """Append what the person said, on `record` (the person's agent record): one entry per address, or one for all.

    Args:
        addresses: normalised; none for every address. A grant names those that it covers, since an agent record holds
            none itself.
        supersedes_until: of a grant: the latest denial of another record that the person, being told of it, overrules.
        reference: number of the call or of the form, no words.
        by_guardian: a parent or guardian said it for a minor.
        notice: what was read to them.

    Raises:
        ConflictProblem: the denial to overrule is not older than now.
    """
    now = _now_after(supersedes_until)
    entries = [
        ConsentEntry(
            record=record,
            purpose=purpose,
            channel=channel,
            address=address,
            state=state,
            occurred_at=now,
            received_at=now,
            origin=Origin.SCREEN,
            basis=purpose.basis,
            evidence={"how": evidence.value, **({"reference": reference} if reference else {})},
            source_id=record.source_id,
            notice_version=notice.version if notice else "",
            language=(get_language() or "")[:5] if notice else "",
            actor=audit.actor_name(by),
            by_guardian=by_guardian,
            supersedes_until=supersedes_until if state is State.GRANTED else None,
        )
        for address in sorted(addresses) or [""]
    ]
    ConsentEntry.objects.bulk_create(entries)
    _tell_of([record.pk])
    audit.record(action=f"consent.{state}", target=record, by=by, fields=[f"{purpose.slug}/{channel}"])
    return entries


@transaction.atomic
def record_own_act(
    *,
    record: SourceRecord,
    purpose: Purpose,
    channel: Channel,
    state: State,
    how: OwnAct,
    notice: Notice | None,
    addresses: Collection[str] = (),
    supersedes_until: datetime | None = None,
) -> list[ConsentEntry]:
    """Append what the person said themselves on a page of ours, on a record of theirs. The arguments are those of
    `record`; `notice` is what the page has shown.

    Raises:
        ConflictProblem: the denial to overrule is not older than now.
    """
    now = _now_after(supersedes_until)
    entries = [
        ConsentEntry(
            record=record,
            purpose=purpose,
            channel=channel,
            address=address,
            state=state,
            occurred_at=now,
            received_at=now,
            origin=Origin.EVENT,
            basis=purpose.basis,
            notice_version=notice.version if notice else "",
            language=(get_language() or "")[:5],
            evidence={"how": how.value},
            source_id=record.source_id,
            actor=OWN_ACT,
            supersedes_until=supersedes_until if state is State.GRANTED else None,
        )
        for address in sorted(addresses) or [""]
    ]
    ConsentEntry.objects.bulk_create(entries)
    _tell_of([record.pk])
    audit.record(action=f"consent.{state}", target=record, by=OWN_ACT, fields=[f"{purpose.slug}/{channel}"])
    return entries


def _now_after(denial: datetime | None) -> datetime:
    now = timezone.now()
    if denial is not None and denial >= now:
        raise ConflictProblem(_("Another answer has just been recorded. Look at it and try again."))
    return now


def append(statements: Sequence[ConsentStatement], *, by: str = DIGEST) -> frozenset[UUID]:
    """Append what messages and files say, in the caller's transaction; returns the messages that made an entry.

    A cell of a file is an entry only when it differs from the cell before it in source time, of the same record,
    purpose, channel and address (`consent.cells`). Events always are, unless the same message has been recorded before.

    The entry itself is the evidence (message, source, actor, clocks), so there is no audit row beside it. Eight
    queries for a thousand statements.

    Raises:
        InternalError: a purpose does not exist, although `consent_problem` has let it pass.
    """
    named = {one.purpose for one in statements}
    purposes = {purpose.slug: purpose for purpose in Purpose.objects.filter(slug__in=named)}
    if missing := named - purposes.keys():
        raise InternalError(f"consent for purposes that do not exist: {sorted(missing)}")
    sources = Source.objects.filter(pk__in={one.source_id for one in statements})
    regions = dict(sources.values_list("pk", "phone_region"))
    entries = [_entry(one, purposes[one.purpose], regions[one.source_id], by) for one in statements]
    said_by = {entry.pk: one.message_id for entry, one in zip(entries, statements, strict=True)}
    changed, repetitions, seconds = cells.changes(entry for entry in entries if entry.origin == Origin.CELL)
    entries = changed + [entry for entry in entries if entry.origin != Origin.CELL]
    entries.sort(key=lambda entry: entry.pk)
    ConsentEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=1000)
    # A message whose import was reverted may be taken again: then its entry, which is there, has effect again.
    VoidEntry.objects.filter(entry__in=[entry.pk for entry in entries]).delete()
    cells.store(repetitions)
    cells.store_seconds(seconds)
    _tell_of({entry.record_id for entry in entries})
    return frozenset(said_by[entry.pk] for entry in entries if entry.pk in said_by)


def _tell_of(record_ids: Collection[int]) -> None:
    """Whose records these are has said something (`profiles.signals.people_touched`). One query."""
    members = Membership.objects.filter(record__in=record_ids, valid_to__isnull=True)
    signals.tell_touched(Touch(Aspect.CONSENT, set(members.values_list("profile", flat=True))))


def normalised_address(channel: str, raw: str, *, region: str, state: str) -> str:
    """The address as identifiers hold it; empty for every address.

    What cannot be an address grants nothing, and refuses everything: it is kept as it came by a grant, and dropped by a
    denial, which is then about the whole person.
    """
    if not raw:
        return ""
    match channel:
        case Channel.EMAIL:
            found = normalise_email(raw)
        case Channel.SMS | Channel.PHONE:
            found = normalise_phone(raw, region=region)
        case _:
            return raw.strip()[:MAX_ADDRESS]
    if found.problem is not None and state != State.GRANTED:
        return ""
    return found.value[:MAX_ADDRESS] or raw[:MAX_ADDRESS]


def _entry(said: ConsentStatement, purpose: Purpose, region: str, by: str) -> ConsentEntry:
    address = normalised_address(said.channel, said.address, region=region, state=said.state)
    origin = Origin(said.origin) if said.may_overrule or said.origin != Origin.EVENT else Origin.BROWSER
    return ConsentEntry(
        pk=uuid5(said.message_id, f"{said.purpose}\0{said.channel}\0{address}\0{said.state}"),
        record_id=said.record_id,
        purpose=purpose,
        channel=said.channel,
        address=address,
        state=said.state,
        occurred_at=min(said.occurred_at or said.received_at, said.received_at),
        received_at=said.received_at,
        origin=origin,
        basis=purpose.basis,
        notice_version=said.notice_version,
        language=said.language,
        evidence=dict(said.evidence),
        by_guardian=said.evidence.get(GIVEN_BY) == GUARDIAN and origin != Origin.BROWSER,
        source_id=said.source_id,
        actor=by,
        operation_id=said.operation_id,
    )
