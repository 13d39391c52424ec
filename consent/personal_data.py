"""Where this app keeps personal data: the ledger, and who asked for what."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db.models import QuerySet

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from consent.erasure import holds, statistics
from consent.models import ConsentEntry, DataSubjectRequest, ForwardedRequest, RepeatedCell, SecondedCell, VoidEntry

ENTRIES, REPEATED, REQUESTS = "consent.ConsentEntry", "consent.RepeatedCell", "consent.DataSubjectRequest"
FORWARDED = "consent.ForwardedRequest"
VOID, SECONDED = "consent.VoidEntry", "consent.SecondedCell"


class ConsentHolder(BaseHolder):
    """The ledger goes; a request stays as proof that it was dealt with, without the person.

    The request that is being carried out is emptied at its own end (`consent.erasure`), so it is none of these.
    """

    name = "consent.ledger"
    tables: tuple[str, ...] = (ENTRIES, REPEATED, VOID, SECONDED, REQUESTS)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {
            ENTRIES: self._entries(subject).count(),
            REPEATED: RepeatedCell.objects.filter(entry__in=self._entries(subject)).count(),
            VOID: VoidEntry.objects.filter(entry__in=self._entries(subject)).count(),
            SECONDED: SecondedCell.objects.filter(entry__in=self._entries(subject)).count(),
            REQUESTS: self._requests(subject).count(),
        }

    def preview(self, subject: Subject) -> Outcome:
        found = self.locate(subject)
        erased = {table: found[table] for table in (ENTRIES, REPEATED, VOID, SECONDED)}
        return Outcome(erased=erased, anonymised={REQUESTS: found[REQUESTS]})

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        entries = self._entries(subject).order_by("occurred_at", "pk").values(
            "purpose__slug", "channel", "address", "state", "occurred_at", "origin", "basis", "notice_version",
            "language", "evidence", "by_guardian", "source__name", "repeated__last_stated_at",
        )  # fmt: skip
        requests = self._requests(subject).values("kind", "status", "received_at", "note")
        return {
            ENTRIES: [msgspec.to_builtins(row) for row in entries],
            REQUESTS: [msgspec.to_builtins(row) for row in requests],
        }

    def erase(self, subject: Subject) -> Outcome:
        _total, erased = self._entries(subject).delete()
        emptied = self._requests(subject).update(
            subject=None, note="", proof_seen="", contact=None, changes=None, work=None
        )
        return Outcome(erased=erased, anonymised={REQUESTS: emptied})

    def _entries(self, subject: Subject) -> "QuerySet[ConsentEntry]":
        return ConsentEntry.objects.of_records(subject.record_ids)

    def _requests(self, subject: Subject) -> "QuerySet[DataSubjectRequest]":
        return DataSubjectRequest.objects.about(subject.public_ids).exclude(status__in=DataSubjectRequest.OPEN)


class ForwardedHolder(BaseHolder):
    """What systems passed on about the person and still waits: it stays to be closed, without the person."""

    name = "consent.forwarded"
    tables: tuple[str, ...] = (FORWARDED,)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {FORWARDED: ForwardedRequest.objects.about(subject.public_ids).count()}

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(anonymised=self.locate(subject))

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        rows = ForwardedRequest.objects.about(subject.public_ids).values("kind", "received_at", "source__name")
        return {FORWARDED: [msgspec.to_builtins(row) for row in rows]}

    def erase(self, subject: Subject) -> Outcome:
        emptied = ForwardedRequest.objects.about(subject.public_ids).update(subject=None, record="", evidence={})
        return Outcome(anonymised={FORWARDED: emptied})


def register() -> None:
    register_holder(ConsentHolder(), order=200)
    register_holder(ForwardedHolder(), order=200)
    holds.register()
    statistics.register()
