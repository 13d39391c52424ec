"""The files of lists: sealed in the store under `exports`, fetched by who asked for them, removed after a day."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.access import scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent.contacts import KIND_OF_CHANNEL
from consent.models import Channel, ConsentEntry, DataSubjectRequest
from consent.terms import months_before
from ingestion.files import store
from ingestion.files.problems import FileProblem
from ingestion.files.store import StoredFile
from profiles import masking
from profiles.models import Membership, Profile
from segments.audience import Question
from segments.exports import columns, formats, gating, writers
from segments.exports.problems import FileGoneProblem, NarrowedProblem, WithdrawnProblem
from segments.models import ExportMember, SegmentExport, SegmentVersion
from segments.models.export import KEPT

ROOM: Final = "exports"
ACTOR: Final = "system:export"
LATEST: Final = timedelta(days=7)
"""What was received may wait so long for the digest, and bears the time at which it came."""
Removal = SegmentExport.Removal

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[list[str]]).decode


def keep_rows(rows: Sequence[Sequence[str]]) -> str:
    """Rows that are not a file yet, sealed; returns the name of the part."""
    with store.Writer(ROOM) as writer:
        writer.write(_encode(rows))
        return writer.finish().name


def bind(parts: Iterable[str], *, kind: str, header: Sequence[str], count: int) -> StoredFile:
    """The parts in their order as one file of a form, sealed. `count`: of rows in all."""
    with store.Writer(ROOM) as writer:
        writers.write(writer, kind, header, _rows(parts), count=count)
        return writer.finish()


def _rows(parts: Iterable[str]) -> Iterator[list[str]]:
    for part in parts:
        yield from _decode(b"".join(store.read(part, room=ROOM)))


def discard(names: Iterable[str]) -> None:
    """Remove files once the current transaction is committed."""
    gone = [name for name in names if name]
    transaction.on_commit(lambda: [store.remove(name, ROOM) for name in gone])


def remove_unknown(name: str) -> None:
    """Remove a file that no list knows; without a name there is none."""
    if name:
        store.remove(name, ROOM)


def fetch(*, export: SegmentExport, by: User) -> Iterator[bytes]:
    """The list's bytes, for who asked for it; that it was fetched is on record.

    Raises FileGoneProblem, NarrowedProblem when they see less than when it was made, and WithdrawnProblem when somebody
    on it may no longer be contacted: then the file goes.
    """
    _check_eyes(export, by)
    n_withdrawn = _put_to_the_gate_again(export, by)
    if n_withdrawn:
        remove(export=export, because=Removal.WITHDRAWN, by=ACTOR)
        raise WithdrawnProblem(n_withdrawn)
    with transaction.atomic():
        held: SegmentExport = SegmentExport.objects.select_for_update().get(pk=export.pk)
        is_over = held.expires_at is not None and held.expires_at <= timezone.now()  # its chore may be late
        if not held.is_ready or not held.stored_as or is_over:
            raise FileGoneProblem
        held.n_fetched += 1
        held.save(update_fields=["n_fetched"])
        audit.record(action="segment.fetch", target=held, by=by, fields=["file"])
        return _opened(held.stored_as)


def _opened(name: str) -> Iterator[bytes]:
    """The file's pieces, the first of them read already: one that is gone is told before an answer has begun."""
    pieces = store.read(name, room=ROOM)
    try:
        first = next(pieces)
    except FileProblem as problem:
        raise FileGoneProblem from problem
    return chain([first], pieces)


def _check_eyes(export: SegmentExport, by: User) -> None:
    """The file holds what its asker saw when it was made; since then they may have changed the department, or the
    department what it sees. Raises NarrowedProblem."""
    scope = scope_of(by)
    sees_sources = scope.source_ids is None or (
        export.sources is not None and scope.source_ids.issuperset(export.sources)
    )
    hidden = masking.hidden_kinds(scope)
    shows_addresses = all(KIND_OF_CHANNEL.get(Channel(name)) not in hidden for name in formats.channels_of(export))
    if not (sees_sources and shows_addresses and columns.offered(by).keys() >= set(export.columns)):
        raise NarrowedProblem
    version = SegmentVersion.objects.filter(segment=export.segment_id, version=export.segment_version).first()
    if version is not None:
        try:
            Question.of_stored(version.definition, scope)
        except MendableError as problem:
            raise NarrowedProblem from problem


def _put_to_the_gate_again(export: SegmentExport, by: User) -> int:
    """How many on the list may no longer be contacted: all when the purpose is no longer in use; else whoever denied it
    since it was asked for, be it for one of several addresses, whose record is another's now or taken back, and whom
    else the gate no longer lets pass. Only those are put to it of whom a denial may have come late, a consent was taken
    back, may have expired or a record joined since, or who asked for their erasure."""
    if not export.purpose.is_active:
        return export.n_exported
    channels = formats.channels_of(export)
    now = Membership.objects.filter(valid_to__isnull=True)
    listed = ExportMember.objects.of(export.pk).exported()
    on_list = now.filter(record__in=listed.values("record")).values("profile")
    entries = ConsentEntry.objects.filter(purpose=export.purpose_id, channel__in=channels)
    denials = entries.exclude(state=ConsentEntry.State.GRANTED)
    chosen_at = export.chosen_at or export.at
    asked = DataSubjectRequest.objects.blocking().values("subject")

    def people(of: "QuerySet[ConsentEntry]") -> set[int]:
        held = now.filter(record__in=of.values("record"), profile__in=on_list)
        return set(held.values_list("profile_id", flat=True))

    def moved(memberships: "QuerySet[Membership]") -> set[int]:
        return set(memberships.filter(profile__in=on_list).values_list("profile_id", flat=True))

    gone = people(denials.filter(received_at__gte=export.at))
    gone |= moved(Membership.objects.filter(valid_to__gte=chosen_at))
    doubtful = people(denials.filter(received_at__gte=export.at - LATEST))
    doubtful |= people(entries.filter(void__at__gte=export.at)) | moved(now.filter(valid_from__gte=chosen_at))
    if export.purpose.months is not None:
        doubtful |= people(entries.filter(occurred_at__lt=months_before(timezone.now(), export.purpose.months)))
    doubtful |= set(Profile.objects.filter(public_id__in=asked, pk__in=on_list).values_list("pk", flat=True))
    answers = gating.ask(
        doubtful - gone,
        purpose=export.purpose,
        form=formats.of(export),
        channels=channels,
        scope=scope_of(by),
    )
    passing = {profile_id for profile_id, answer in answers.items() if answer.reason is None}
    n_taken_back = listed.exclude(record__in=now.values("record")).count()
    return n_taken_back + len(gone | (doubtful - passing))


@transaction.atomic
def remove(*, export: SegmentExport, because: str, by: User | str) -> bool:
    """Remove the list's file; False when there was none."""
    held: SegmentExport = SegmentExport.objects.select_for_update().get(pk=export.pk)
    if not held.stored_as:
        return False
    discard([held.stored_as])
    held.stored_as, held.removed_because = "", because
    held.save(update_fields=["stored_as", "removed_because"])
    audit.record(action="segment.remove_file", target=held, by=by, fields=["file"])
    return True


def remove_expired() -> int:
    """Chore: remove files that lay for a day; returns how many."""
    over = SegmentExport.objects.with_file().made_before(timezone.now() - KEPT)
    return sum(remove(export=export, because=Removal.EXPIRED, by=ACTOR) for export in over[:100])


def remove_strays() -> int:
    """Chore: files in the room that no list knows, of killed jobs, go after a day; returns how many."""
    known = SegmentExport.objects.names_of_files()
    yesterday = (timezone.now() - timedelta(days=1)).timestamp()
    strays = store.stray_names(known, older_than=yesterday, room=ROOM)
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def name_of(export: SegmentExport) -> str:
    """`segment-<id>-<day>.csv`: the segment's name may hold anything, an id does not."""
    segment: UUID | str = export.segment_id or "deleted"
    return f"segment-{segment}-{timezone.localdate(export.at).isoformat()}.{formats.of(export).extension}"
