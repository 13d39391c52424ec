"""What a list leaves on the timelines of its members: that they were on it, or held out of it."""

from collections.abc import Sequence
from typing import Final

from profiles import touchpoints
from profiles.models import Membership
from profiles.resolution import pipeline
from segments.models import ExportMember, SegmentExport

EXPORTED: Final = "Segment Exported"
HELD_OUT: Final = "Segment Held Out"


def leave(export: SegmentExport, members: Sequence[ExportMember]) -> None:
    """A touchpoint on each, in the caller's transaction, in which nobody is merged meanwhile."""
    pipeline.share_merge_lock()
    for event, is_held_out in ((EXPORTED, False), (HELD_OUT, True)):
        records = [member.record_id for member in members if member.is_held_out is is_held_out]
        owners = list(
            Membership.objects.filter(record__in=records, valid_to__isnull=True).values_list("profile_id", "record_id")
        )
        if owners:
            touchpoints.record_internal(event=event, owners=owners, properties=_said(export))
    ExportMember.objects.filter(pk__in=[member.pk for member in members]).update(is_traced=True)


def _said(export: SegmentExport) -> dict[str, str]:
    return {
        "export_id": str(export.pk),
        "segment_id": str(export.segment_id),
        "segment_name": export.segment_name,
        "purpose": export.purpose.slug,
    } | ({"channel": export.channel} if export.channel else {"format": export.format})
