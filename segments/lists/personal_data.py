"""On which lists somebody is: found, told and forgotten with the person."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from segments.models import StaticListMember

MEMBERS = "segments.StaticListMember"


class ListHolder(BaseHolder):
    """A list holds records, so that a merge needs nothing; being on one goes with the person."""

    name = "segments.lists"
    tables: tuple[str, ...] = (MEMBERS,)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {MEMBERS: self._rows(subject).count()}

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._rows(subject).order_by("list__name", "pk").values("list__name", "list__changed_at")
        return {MEMBERS: [msgspec.to_builtins(row) for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        erased, _by_model = self._rows(subject).delete()
        return Outcome(erased={MEMBERS: erased})

    def _rows(self, subject: Subject) -> "QuerySet[Any, Any]":
        return StaticListMember.objects.filter(record__in=subject.record_ids)


def register() -> None:
    register_holder(ListHolder(), order=100)
