"""Lists that leave the product: through the gate, as CSV, with a trace on everybody who is on them."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from django.db import connection, transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from consent import gate
from consent.gate import Passage, Usable
from consent.models import Channel, Purpose
from consent.reasons import Reason
from profiles import overview, touchpoints
from profiles.models import Profile
from profiles.naming import shown_name
from profiles.resolution import pipeline
from segments import audience
from segments.models import Segment, SegmentExport

EVENT = "Segment Exported"
COLUMNS = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.PHONE: "phone",
    Channel.LINE: "line_id",
    Channel.PUSH: "push_token",
    Channel.POST: "postal_address",
}
"""The name of the third column, after `customer_id` and `name`."""
CHUNK = 2_000


@dataclass(frozen=True)
class Preview:
    """How many of the members would be on the list; the others by the reason that is told, most first."""

    members: int
    reachable: int
    left_out: Sequence[tuple[Reason, int]]


def preview(segment: Segment, *, purpose: Purpose, channel: Channel, by: User) -> Preview:
    """Raises TooSlowProblem, HiddenProblem and DefinitionProblem."""
    scope = scope_of(by)
    members = audience.member_ids(audience.Question.of_segment(segment, scope))
    passage = gate.reach(members, purpose=purpose, channel=channel, scope=scope)
    return Preview(len(members), passage.people, passage.left_out.most_common())


@transaction.atomic
def export(*, segment: Segment, purpose: Purpose, channel: Channel, by: User, to: IO[bytes]) -> SegmentExport:
    """Write the list to a file: each member whom the gate lets pass, once, by the best address.

    The row, the audit and a touchpoint on everybody on the list are written with it. Raises as `preview` does.
    """
    scope = scope_of(by)
    members = audience.member_ids(audience.Question.of_segment(segment, scope))
    passage = gate.usable_addresses(members, purpose=purpose, channel=channel, scope=scope)
    listed = _write(to, passage, channel, scope)
    written = SegmentExport.objects.create(
        segment=segment,
        segment_version=segment.version,
        segment_name=segment.name,
        purpose=purpose,
        channel=channel,
        n_members=len(members),
        n_exported=passage.people,
        n_left_out={reason.value: n for reason, n in passage.left_out.items()},
        by=by,
    )
    _leave_traces(written, listed)
    audit.record(action="segment.export", target=written, by=by, fields=["customer_id", "name", COLUMNS[channel]])
    return written


def _write(file: IO[bytes], passage: Passage, channel: Channel, scope: Scope) -> list[int]:
    """Returns the profile ids of those on the list."""
    listed: list[int] = []
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)  # Excel knows UTF-8 by the mark
    rows = csv.writer(text, quoting=csv.QUOTE_ALL)
    rows.writerow(["customer_id", "name", COLUMNS[channel]])
    for chunk in _chunks(_best(passage), CHUNK):
        profiles = Profile.objects.in_bulk([usable.profile_id for usable in chunk])
        names = _names(list(profiles.values()), scope)
        for usable in chunk:
            row = [str(profiles[usable.profile_id].public_id), names.get(usable.profile_id, ""), usable.address]
            rows.writerow([harmless(cell) for cell in row])
            listed.append(usable.profile_id)
    text.detach()
    return listed


def _best(passage: Passage) -> Iterator[Usable]:
    """The first address of each person: the gate gives the best one first."""
    last = None
    for usable in passage:
        if usable.profile_id != last:
            yield usable
        last = usable.profile_id


def _chunks(items: Iterable[Usable], size: int) -> Iterator[list[Usable]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _names(profiles: Sequence[Profile], scope: Scope) -> dict[int, str]:
    if scope.is_unrestricted:
        return {profile.pk: shown_name(profile.golden) for profile in profiles}
    values = overview.values_of(overview.records_of(profiles, scope), scope)
    return {profile_id: shown_name(known) for profile_id, known in values.items()}


_PHONE = re.compile(r"\+[0-9]{6,15}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """The cell so that no spreadsheet runs it as a formula: an apostrophe before the signs that begin one (OWASP, CSV
    Injection). A phone number with its country code begins with one of them and stays as it is.

    >>> harmless("=1+1"), harmless("+66812345678")
    ("'=1+1", '+66812345678')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) and not _PHONE.fullmatch(cell) else cell


_OWNERS = """
SELECT m.profile_id, r.id
  FROM profiles_sourcerecord r JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
 WHERE r.birth_profile_id = ANY(%s)
"""


def _leave_traces(export: SegmentExport, listed: list[int]) -> None:
    """A touchpoint on each, owned by the anchor record. Nobody is merged meanwhile."""
    pipeline.share_merge_lock()
    said = {
        "export_id": str(export.pk),
        "segment_id": str(export.segment_id),
        "segment_name": export.segment_name,
        "purpose": export.purpose.slug,
        "channel": export.channel,
    }
    for start in range(0, len(listed), CHUNK):
        with connection.cursor() as cursor:
            cursor.execute(_OWNERS, [listed[start : start + CHUNK]])
            touchpoints.record_internal(event=EVENT, owners=cursor.fetchall(), properties=said)


def file_name(export: SegmentExport) -> str:
    """`segment-<id>-<date>.csv`: the segment's name may hold anything, an id does not."""
    return f"segment-{export.segment_id}-{timezone.localdate(export.at).isoformat()}.csv"
