"""After a restore: whoever the ledger says was erased is erased again, before anybody is served.

`append`, `read` and `adopt` are the file (`ledger_lines`). `replay` knows people by the keyed hashes of their profiles'
public ids: each record has a birth profile of its own for life, so what the person was made of is found whatever was
merged or parted between the backup and the erasure. Whoever came back since then has new profiles and stays.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.db import transaction

from cdp_site.core import audit
from cdp_site.core.append_only import erasure_step
from cdp_site.core.personal_data import Subject
from consent import subjects
from consent.erasure import holds, running
from consent.erasure.ledger_lines import Entry, LedgerDamagedError, adopt, append, path, person_hashes, read
from consent.models import DataSubjectRequest
from ingestion.models import SuppressedIdentifier
from profiles.models import Identifier, LinkDecision, Membership, Profile
from profiles.resolution import pipeline

__all__ = ["Entry", "LedgerDamagedError", "Replayed", "adopt", "append", "path", "read", "replay"]

ACTOR = "system:restore"
AT_ONCE = 5_000
DAYS_TO_ACT = timedelta(days=90)

Status = DataSubjectRequest.Status


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Args:
        entries: erasures that the ledger knows.
        people: of them, people whom the restored database still had, and who are gone now.
        unfinished: of them, people of whom a store still holds something; they are tried again by the clock.
    """

    entries: int
    people: int
    unfinished: int

    @property
    def is_clean(self) -> bool:
        return self.unfinished == 0


def replay(ledger: Path | None = None) -> Replayed:
    """Suppress and erase again everybody of the ledger whom the database still has. Idempotent.

    Args:
        ledger: another file than the one of the settings.

    Raises:
        LedgerDamagedError: a line was changed; nothing was done then.
    """
    entries = read(ledger)
    _keep_out(entries)
    people, unfinished = 0, 0
    for entry, public_ids in _still_here(entries):
        request = _begin_again(entry, public_ids)
        running.run(request.pk)
        request.refresh_from_db()
        people += 1
        unfinished += request.status != Status.COMPLETED
    holds.release_again(entries)
    return Replayed(entries=len(entries), people=people, unfinished=unfinished)


@transaction.atomic
def _keep_out(entries: Iterable[Entry]) -> None:
    """First of all: nothing that is digested meanwhile brings anybody back."""
    for entry in entries:
        SuppressedIdentifier.objects.bulk_create(
            [
                SuppressedIdentifier(
                    key=bytes.fromhex(kept.key),
                    key_id=entry.key_id,
                    kind=kept.kind,
                    needs_name=kept.needs_name,
                    name_keys=[bytes.fromhex(name) for name in kept.names],
                    erased_at=entry.at,
                    request_id=entry.request,
                )
                for kept in entry.suppressed
            ],
            ignore_conflicts=True,
        )


def _still_here(entries: Sequence[Entry]) -> Iterator[tuple[Entry, list[UUID]]]:
    """Entries whose people the database has, with the profiles that they are. One pass over all profiles."""
    wanted = {one: number for number, entry in enumerate(entries) for one in entry.people}
    found: dict[int, list[UUID]] = {}
    key_ids = sorted({entry.key_id for entry in entries if entry.people})
    if wanted:
        everybody = Profile.objects.order_by("pk").values_list("public_id", flat=True)
        remaining = everybody.iterator(chunk_size=AT_ONCE)
        while some := list(islice(remaining, AT_ONCE)):
            for key_id in key_ids:
                for public_id, one in zip(some, person_hashes(some, key_id=key_id), strict=True):
                    if one in wanted:
                        found.setdefault(wanted[one], []).append(public_id)
    for number in sorted(found):
        yield entries[number], found[number]


@transaction.atomic
def _begin_again(entry: Entry, public_ids: list[UUID]) -> DataSubjectRequest:
    """Step 0 of an erasure that the database has forgotten, under the request that it had, if that is still known."""
    request = _request(entry, public_ids)
    if request.status not in {Status.RUNNING, Status.PARTIAL}:
        running.begin(request, lambda: _alone(subjects.born_as(public_ids)), is_known=True)
    DataSubjectRequest.objects.filter(pk=request.pk).update(lease_until=None)
    audit.record(action="request.replay", target=request, by=ACTOR, fields=["status"])
    return request


def _request(entry: Entry, public_ids: list[UUID]) -> DataSubjectRequest:
    of_entry = DataSubjectRequest.objects.filter(pk=entry.request)
    known = of_entry.first() or DataSubjectRequest.objects.about(public_ids).open().order_by("pk").first()
    return known or DataSubjectRequest.objects.create(
        pk=entry.request,
        status=Status.APPROVED,
        subject=public_ids[0],
        received_at=entry.at,
        due_at=entry.at + DAYS_TO_ACT,
        identity_checked=DataSubjectRequest.IdentityCheck.SYSTEM,
    )


def _alone(subject: Subject) -> Subject:
    """The same, after records that are with the person in the backup, and were somebody else's when the person was
    erased, have gone to whom they belong."""
    homes = Membership.objects.filter(record__in=subject.record_ids, valid_to__isnull=True).values("profile")
    together = Membership.objects.filter(profile__in=homes, valid_to__isnull=True)
    strays = set(together.values_list("record", flat=True)) - set(subject.record_ids)
    if strays:
        with erasure_step("restore"):
            for side in ("record_a", "record_b"):
                LinkDecision.objects.filter(**{f"{side}__in": subject.record_ids}).delete()
        Identifier.objects.filter(record__in=subject.record_ids).delete()
        pipeline.resolve_exclusively([*strays, *subject.record_ids], by=ACTOR)
    return subject
