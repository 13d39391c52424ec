"""Where requests keep personal data beside themselves: codes and messages that are on their way."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from cdp_site.core.personal_data import BaseHolder, Outcome, Subject, register_holder
from consent.models import DataSubjectRequest, IdentityCode, OutgoingMessage
from consent.requests.messages import ERASED

CODES, MESSAGES = "consent.IdentityCode", "consent.OutgoingMessage"


class MessagesHolder(BaseHolder):
    """What was sent to the person about requests: when and by which channel stays as proof, the address goes."""

    name = "consent.messages"
    tables: tuple[str, ...] = (CODES, MESSAGES)

    def locate(self, subject: Subject) -> Mapping[str, int]:
        return {CODES: self._codes(subject).count(), MESSAGES: self._messages(subject).count()}

    def preview(self, subject: Subject) -> Outcome:
        return Outcome(anonymised=self.locate(subject))

    def export(self, subject: Subject) -> Mapping[str, list[dict[str, Any]]]:
        codes = self._codes(subject).values("channel", "sent_at", "used_at")
        messages = self._messages(subject).values("channel", "what", "status", "created_at", "sent_at")
        return {
            CODES: [_as_text(row) for row in codes],
            MESSAGES: [_as_text(row) for row in messages],
        }

    def erase(self, subject: Subject) -> Outcome:
        codes = self._codes(subject).update(identifier=None)
        waiting = self._messages(subject).filter(status=OutgoingMessage.Status.WAITING)
        waiting.update(status=OutgoingMessage.Status.FAILED, problem=ERASED)
        messages = self._messages(subject).update(identifier=None, content=None)
        return Outcome(anonymised={CODES: codes, MESSAGES: messages})

    def _codes(self, subject: Subject) -> "QuerySet[IdentityCode]":
        return IdentityCode.objects.filter(request__in=self._requests(subject), identifier__isnull=False)

    def _messages(self, subject: Subject) -> "QuerySet[OutgoingMessage]":
        holds = Q(identifier__isnull=False) | Q(content__isnull=False)
        return OutgoingMessage.objects.filter(holds, request__in=self._requests(subject))

    def _requests(self, subject: Subject) -> "QuerySet[DataSubjectRequest]":
        return DataSubjectRequest.objects.about(subject.public_ids)


def _as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def register() -> None:
    register_holder(MessagesHolder(), order=150)
