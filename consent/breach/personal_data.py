"""Where the breach helper keeps personal data: who was affected."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from consent.models import BreachPerson

PEOPLE = "consent.BreachPerson"


class BreachHolder(BaseHolder):
    """That the person was affected goes with them; how many were stays on the breach."""

    name = "consent.breaches"
    tables: tuple[str, ...] = (PEOPLE,)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {PEOPLE: self._rows(subject).count()}

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._rows(subject).order_by("pk").values("breach__noticed_at", "breach__what", "breach__data")
        return {PEOPLE: [msgspec.to_builtins(row) for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        return Outcome(erased={PEOPLE: self._rows(subject).delete()[0]})

    def _rows(self, subject: Subject) -> "QuerySet[BreachPerson]":
        return BreachPerson.objects.filter(profile__in=subject.public_ids)


def register() -> None:
    register_holder(BreachHolder(), order=210)
