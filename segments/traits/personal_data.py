"""Where computed traits keep personal data."""

from collections.abc import Mapping
from typing import Any

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from segments.models import ComputedValue, PendingValues
from segments.traits import keeping

# Before what they are computed from.
ORDER = 110
VALUES, PENDING = "segments.ComputedValue", "segments.PendingValues"


class ComputedHolder(BaseHolder):
    """What was worked out about the person, and a note that it is to be worked out again, which lives for a second.

    The values follow a merge by themselves: they are computed anew for whoever gained or lost a record.
    """

    name = "segments.computed_traits"
    tables: tuple[str, ...] = (VALUES, PENDING)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {VALUES: self._values(subject).count(), PENDING: self._pending(subject).count()}

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._values(subject).filter(value__isnull=False).order_by("trait__name")
        return {VALUES: list(rows.values("trait__name", "value"))}

    def erase(self, subject: Subject) -> Outcome:
        keeping.hold()  # what was read before the person went would otherwise be written down after it
        values = self._values(subject).delete()[0]
        gone = set(subject.profile_ids)
        notes = list(self._pending(subject).select_for_update())
        for note in notes:
            note.profile_ids = [profile_id for profile_id in note.profile_ids if profile_id not in gone]
        PendingValues.objects.bulk_update(notes, ["profile_ids"])
        return Outcome(erased={VALUES: values}, anonymised={PENDING: len(notes)})

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(
            erased={VALUES: self._values(subject).count()}, anonymised={PENDING: self._pending(subject).count()}
        )

    def _values(self, subject: Subject) -> Any:
        return ComputedValue.objects.filter(profile__in=subject.profile_ids)

    def _pending(self, subject: Subject) -> Any:
        return PendingValues.objects.filter(profile_ids__overlap=list(subject.profile_ids))


def register() -> None:
    register_holder(ComputedHolder(), order=ORDER)
