"""Who is on lists: found, told and forgotten with the person."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from segments.exports import files, job, problems
from segments.exports.files import ACTOR
from segments.models import ExportMember, SegmentExport

MEMBERS = "segments.ExportMember"


class ExportHolder(BaseHolder):
    """Being on a list goes with the person. A file that still lies here goes with them, and a list that is being made
    ends: their address may be in it."""

    name = "segments.exports"
    tables: tuple[str, ...] = (MEMBERS,)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {MEMBERS: self._rows(subject).count()}

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._rows(subject).order_by("export__at", "pk").values(
            "export__segment_name", "export__purpose__slug", "export__channel", "export__format", "export__at",
            "is_held_out",
        )  # fmt: skip
        return {MEMBERS: [msgspec.to_builtins(row) for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        for export in SegmentExport.objects.with_member(subject.record_ids):
            if export.is_under_way:
                job.fail(export.pk, problems.STOPPED)
            else:
                files.remove(export=export, because=SegmentExport.Removal.ERASED, by=ACTOR)
        erased, _by_model = self._rows(subject).delete()
        return Outcome(erased={MEMBERS: erased})

    def _rows(self, subject: Subject) -> "QuerySet[Any, Any]":
        return ExportMember.objects.of_records(subject.record_ids)


def register() -> None:
    register_holder(ExportHolder(), order=100)
