"""What people of the sample company allow: granted, refused, withdrawn later, or never asked."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from cdp_site.operations.company.feeds import Tracker
from cdp_site.operations.company.life import Life
from cdp_site.operations.company.wording import NOTICE_VERSION
from cdp_site.operations.company.year import DAY, MINUTE, SECOND


@dataclass(frozen=True, slots=True)
class Question:
    """One box of a form. ``asked`` and ``granted`` are shares 0–1: of those who see it, of those who answer."""

    purpose: str
    channel: str
    asked: float
    granted: float


WEB_QUESTIONS = (
    Question("marketing", "email", 0.72, 0.66),
    Question("marketing", "sms", 0.40, 0.38),
    Question("analytics", "email", 0.35, 0.55),
)
APP_QUESTIONS = (
    Question("marketing", "push", 0.90, 0.58),
    Question("marketing", "phone", 0.25, 0.20),
    Question("analytics", "push", 0.40, 0.60),
)

_WITHDRAWN_SHARE = 0.11


@dataclass(frozen=True, slots=True)
class Answer:
    """How a person answers one question, and after how many days a grant is withdrawn (-1: never)."""

    question: Question
    granted: bool
    withdrawn_after_days: int


def answers(rng: Random, questions: tuple[Question, ...]) -> tuple[Answer, ...]:
    """Return the person's answers; questions that were never put are absent."""
    found = []
    for question in questions:
        if rng.random() < question.asked:
            granted = rng.random() < question.granted
            withdrawn = granted and rng.random() < _WITHDRAWN_SHARE
            found.append(Answer(question, granted, 10 + int(rng.random() * 200) if withdrawn else -1))
    return tuple(found)


def until(given: tuple[Answer, ...], purpose: str, channel: str, asked_at: int, end: int) -> int:
    """Return the moment up to which a use is allowed; ``asked_at`` itself when it never was."""
    for answer in given:
        if answer.question.purpose == purpose and answer.question.channel == channel and answer.granted:
            days = answer.withdrawn_after_days
            return asked_at + days * DAY if days >= 0 else end
    return asked_at


def state(life: Life, tracker: Tracker, given: tuple[Answer, ...], moment: int) -> None:
    """Send the answers as they are given at ``moment``, and the withdrawals that follow within the year."""
    for place, answer in enumerate(given, 1):
        properties = {
            "purpose": answer.question.purpose,
            "channel": answer.question.channel,
            "notice_version": NOTICE_VERSION,
            "language": life.person.language,
        }
        event = "Consent Granted" if answer.granted else "Consent Refused"
        tracker.track(moment + place * SECOND, event, properties)
        if answer.withdrawn_after_days >= 0:
            withdrawn_at = moment + answer.withdrawn_after_days * DAY + 7 * MINUTE
            if not life.is_over(withdrawn_at):
                tracker.track(withdrawn_at, "Consent Withdrawn", properties)
