"""A segment with what its library shows: an earlier version, a folder, the sizes of some days, another beside it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from cdp_site.core.models import User
from segments import authoring, shelving
from segments.models import Segment, SegmentSize

TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}


def furnish(segment: Segment, by: User) -> dict[str, Any]:
    """What stands for the parameters of the library's addresses."""
    group = {"kind": "any", "of": [TRANG, *segment.definition["where"]["of"]]}
    definition = {"version": 2, "where": {"kind": "all", "of": [group]}}
    authoring.change(
        segment=segment, name=segment.name, description=segment.description, department=segment.department,
        definition=definition, by=by,
    )  # fmt: skip
    folder = shelving.create_folder(name="แคมเปญ", by=by)
    shelving.put(segment=segment, folder=folder, by=by)
    today = timezone.localdate()
    SegmentSize.objects.bulk_create(
        SegmentSize(
            segment=segment,
            department=department,
            day=today - timedelta(days=days),
            version=1 if days > 3 else 2,
            members=40 + 7 * (days % 4),
            entered=None if department else days,
            left=None if department else 2,
        )
        for days in range(1, 9)
        for department in (None, segment.department)
    )
    other = authoring.create(
        name="อยู่ตรัง", description="", department=None,
        definition={"version": 2, "where": {"kind": "all", "of": [TRANG]}}, by=by,
    )  # fmt: skip
    return {
        "segments:rename_folder.folder_id": folder.pk,
        "segments:delete_folder.folder_id": folder.pk,
        "segments:restore_version.number": 1,
        "segments:explain.segment_id": other.pk,  # everybody's: agents read it, too
        "other_segment": other.pk,
    }
