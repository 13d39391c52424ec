"""Whom a leaked list affects, or the account of somebody who made lists: for the breach helper."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from consent.breach import leaks
from consent.breach.leaks import Leak, UnknownProblem, uuid_of
from consent.models import Breach
from profiles.models import Membership
from segments.models import ExportMember, SegmentExport


def _check(reference: str) -> str:
    export_id = uuid_of(reference)
    if not SegmentExport.objects.filter(pk=export_id).exists():
        raise UnknownProblem
    return str(export_id)


def _on_list(breach: Breach) -> Iterable[int]:
    """Whoever is in the file: not whom the lot held out."""
    return _people(ExportMember.objects.filter(export=uuid_of(breach.reference), is_held_out=False).values("record"))


def _on_lists_of(breach: Breach) -> Iterable[int]:
    made = SegmentExport.objects.filter(by=int(breach.reference))
    if breach.since:
        made = made.filter(at__gte=breach.since)
    if breach.until:
        made = made.filter(at__lte=breach.until)
    return _people(ExportMember.objects.filter(export__in=made.values("pk"), is_held_out=False).values("record"))


def _people(records: "QuerySet[ExportMember, Any]") -> Iterable[int]:
    held = Membership.objects.filter(record__in=records, valid_to__isnull=True)
    return held.values_list("profile_id", flat=True).iterator()


def register() -> None:
    hint = _("Id of the export, from its address.")
    leaks.register(Leak("export", _("An exported list"), hint, _check), _on_list)
    leaks.also("user", _on_lists_of)
