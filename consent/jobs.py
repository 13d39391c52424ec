"""Chores of this app, by their dotted paths."""

from uuid import UUID

from cdp_site.core import audit
from consent import erasure, expiry, forwarded
from consent.preferences import mails


def run_erasure(request_id: str) -> None:
    """One erasure, from wherever it stands."""
    erasure.run(UUID(request_id))


def resume_erasures() -> None:
    """By the clock, every few minutes: take up what a dead job has left."""
    erasure.resume()


def match_forwarded() -> None:
    """By the clock: requests that systems passed on before the person was known here."""
    forwarded.match_waiting()


def check_audit() -> None:
    """Every night, and when somebody asks: whether the audit's chain is whole."""
    audit.check_chain()


def send_preference_link(profile_id: int, language: str) -> None:
    """The link to their preference page, by mail."""
    mails.send_link(profile_id, language)


def send_receipt(language: str, *entry_ids: str) -> None:
    """What somebody said on their preference page, by mail."""
    mails.send_receipt(language, [UUID(one) for one in entry_ids])


def tell_expired() -> None:
    """By the clock: whose consent has expired."""
    expiry.tell_expired()
