"""Chores of this app, by their dotted paths."""

from uuid import UUID

from cdp_site.core import audit
from consent import erasure, expiry, forwarded
from consent.breach import finding
from consent.erasure import holds, rewriting
from consent.package import making
from consent.preferences import mails
from consent.requests import carrying_out, clock, deciding, messages
from consent.retention import running


def run_erasure(request_id: str) -> None:
    """One erasure, from wherever it stands."""
    erasure.run(UUID(request_id))


def resume_erasures() -> None:
    """By the clock, every few minutes: take up what a dead job has left."""
    erasure.resume()


def rewrite_storage() -> None:
    """By the clock, at night: take what was erased out of the database's files, once a month."""
    rewriting.rewrite_when_due()


def remove_expired_packages() -> None:
    """By the clock: copies whose time is over, and strays of killed jobs."""
    making.remove_expired()
    making.remove_strays()


def end_holds() -> None:
    """By the clock, every night: what was held until today goes."""
    holds.end_due()


def match_forwarded() -> None:
    """By the clock: requests that systems passed on before the person was known here."""
    forwarded.match_waiting()


def find_affected(breach_id: str) -> None:
    """Whom a breach affects."""
    finding.run(UUID(breach_id))


def remove_by_rules() -> None:
    """By the clock: what is past the days of the rules of retention."""
    running.remove_due()


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


def run_request(request_id: str) -> None:
    """An approved request of any kind but erasure."""
    carrying_out.run(UUID(request_id))


def keep_requests_going() -> None:
    """By the clock, every few minutes: what has cooled off, and what a dead job has left."""
    deciding.end_cooling_off()
    carrying_out.resume()


def watch_deadlines() -> None:
    """By the clock: requests that are due soon, or overdue."""
    clock.alert()


def mail_request_alert(alert_id: int) -> None:
    """One such alert, by mail."""
    clock.mail(alert_id)


def send_message(message_id: str) -> None:
    """One message to a customer about a request."""
    messages.deliver(UUID(message_id))


def send_messages() -> None:
    """By the clock: messages to be tried (again)."""
    messages.send_due()
