"""Which values of a person left the platform on a list, and to whom: for the copy that they may ask for."""

from collections.abc import Iterator

from cdp_site.core.personal_data import Subject
from consent.package import parts
from consent.package.parts import Handover
from segments.exports import formats
from segments.exports.columns import ADDRESS, CUSTOMER_ID
from segments.models import ExportMember, SegmentExport

F = SegmentExport.Format


def handovers(subject: Subject) -> Iterator[Handover]:
    """Lists that the person was on; whom a list held out, it told nobody of."""
    members = ExportMember.objects.of_records(subject.record_ids).exported().select_related("export__purpose")
    for member in members.order_by("-export__at", "pk"):
        export = member.export
        yield Handover(
            at=export.made_at or export.at,
            recipient=f"{F(export.format).label}: {export.segment_name}",
            purpose=str(export.purpose),
            what=frozenset(
                {*export.columns, *(ADDRESS[channel] for channel in formats.channels_of(export))} - {CUSTOMER_ID}
            ),
        )


def register() -> None:
    parts.register(handovers=handovers)
