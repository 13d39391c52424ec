"""The copies as a store of personal data."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from consent.models import AccessPackage
from consent.package import making

PACKAGES = "consent.AccessPackage"


class PackageHolder(BaseHolder):
    """A copy that lies here goes with the person; the row stays as proof that the request was answered."""

    name = "consent.packages"
    tables: tuple[str, ...] = (PACKAGES,)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {PACKAGES: self._rows(subject).count()}

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(anonymised=self.locate(subject))

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = self._rows(subject).order_by("pk").values("made_at", "expires_at", "fetched_at")
        return {PACKAGES: [msgspec.to_builtins(row) for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        found = list(self._rows(subject))
        for package in found:
            making.remove(package, because=AccessPackage.Removal.ERASED, by=making.ACTOR)
        self._rows(subject).update(subject=None)
        return Outcome(anonymised={PACKAGES: len(found)})

    def _rows(self, subject: Subject) -> "QuerySet[AccessPackage]":
        return AccessPackage.objects.filter(subject__in=subject.public_ids)


def register() -> None:
    register_holder(PackageHolder(), order=210)
