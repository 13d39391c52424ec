"""Telling people of alerts, by mail and by webhook: noted with the alert, sent by jobs, tried again and again.

A delivery is taken by moving its next attempt ahead, before it is tried: a killed job's is tried again at that time,
and two jobs never send the same one at once. At least once, therefore; a webhook carries an id to know it by.
"""

import hashlib
import hmac
import json
import smtplib
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from cdp_site.core import hashing, jobs, outgoing
from ingestion.health import alert_text
from ingestion.models import Alert, AlertDelivery, AlertRecipient

log = structlog.get_logger("alerts")

JOB: Final = "ingestion.health.delivery.deliver"
MOST_ATTEMPTS: Final = 10  # over nine hours
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=2)
TIMEOUT_SECONDS: Final = 10.0
AT_ONCE: Final = 200
NO_MAIL: Final = "mail"  # the mail server did not take it


class _Failed(Exception):
    """It did not reach its recipient; `code` says why, `is_final` that trying again changes nothing."""

    def __init__(self, code: str, *, is_final: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.is_final = is_final


def announce(alert: Alert, event: str) -> None:
    """Note whom to tell, in the caller's transaction; their jobs begin when it is committed."""
    _enqueue(
        AlertDelivery.objects.bulk_create(
            AlertDelivery(alert=alert, recipient=recipient, event=event, due_at=timezone.now())
            for recipient in AlertRecipient.objects.for_source(alert.source)
        )
    )


def send_due() -> int:
    """Enqueue what is to be tried (again) now; returns how many. Run by the clock."""
    due = AlertDelivery.objects.due().order_by("due_at")[:AT_ONCE]
    with transaction.atomic():
        return _enqueue(due)


def _enqueue(deliveries: Iterable[AlertDelivery]) -> int:
    ids = [delivery.pk for delivery in deliveries]
    for delivery_id in ids:
        jobs.enqueue(JOB, delivery_id)
    return len(ids)


def deliver(delivery_id: int) -> None:
    """Send one message, if it is due. Idempotent: one that is sent, given up or taken by another job stays as it is."""
    delivery = _take(delivery_id)
    if delivery is None:
        return
    try:
        _send(delivery)
    except _Failed as failure:
        is_over = failure.is_final or delivery.attempts >= MOST_ATTEMPTS or delivery.event == AlertDelivery.Event.TEST
        delivery.status = AlertDelivery.Status.FAILED if is_over else AlertDelivery.Status.WAITING
        delivery.problem = failure.code
        log.warning("alert.not_delivered", delivery=delivery.pk, attempts=delivery.attempts, problem=failure.code)
    else:
        delivery.status, delivery.problem, delivery.sent_at = AlertDelivery.Status.SENT, "", timezone.now()
    delivery.save(update_fields=["status", "problem", "sent_at"])


@transaction.atomic(durable=True)
def _take(delivery_id: int) -> AlertDelivery | None:
    delivery: AlertDelivery | None = (
        AlertDelivery.objects.due().select_for_update(skip_locked=True, of=("self",)).filter(pk=delivery_id).first()
    )
    if delivery is None:
        return None
    delivery.attempts += 1
    delivery.due_at = timezone.now() + pause_after(delivery.attempts)
    delivery.save(update_fields=["attempts", "due_at"])
    return delivery


def pause_after(attempts: int) -> timedelta:
    """1, 2, 4 … minutes, at most LONGEST_PAUSE."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1))


def _send(delivery: AlertDelivery) -> None:
    if delivery.recipient.channel == AlertRecipient.Channel.EMAIL:
        _mail(delivery)
    else:
        _post(delivery)


# --- mail -----------------------------------------------------------------------------------------------------------


def _mail(delivery: AlertDelivery) -> None:
    """In the recipient's language."""
    with translation.override(delivery.recipient.language):
        message = EmailMessage(subject=_subject(delivery), body=_body(delivery), to=[delivery.recipient.address])
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:  # smtplib's own are OSErrors, but not all of a broken dialogue
        raise _Failed(NO_MAIL) from error


def _subject(delivery: AlertDelivery) -> str:
    if delivery.alert is None:
        return f"[{settings.COMPANY_NAME}] " + _("Test: alerts arrive here")
    title = alert_text.title(delivery.alert)
    if delivery.event == AlertDelivery.Event.CLOSED:
        title = _("%(alert)s, over") % {"alert": title}
    return f"[{settings.COMPANY_NAME}] {title}"


def _body(delivery: AlertDelivery) -> str:
    alert = delivery.alert
    if alert is None:
        return _("This is a test. Alerts about the company's data sources will arrive at this address.")
    if delivery.event == AlertDelivery.Event.CLOSED:
        lines = [_("This is over:"), alert_text.title(alert)]
    else:
        lines = [alert_text.title(alert), alert_text.describe(alert), alert_text.next_step(alert)]
    return "\n\n".join([*lines, *filter(None, [alert_text.address(alert)])])


# --- webhook --------------------------------------------------------------------------------------------------------


def _post(delivery: AlertDelivery) -> None:
    """A signed JSON body: `CDP-Signature: t=<unix time>,v1=<hex HMAC-SHA-256 of "time.body" by the secret>`."""
    body = json.dumps(_document(delivery), ensure_ascii=False).encode()
    stamp = str(int(time.time()))
    secret = hashing.unseal(bytes(delivery.recipient.secret or b""))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "CDP-Delivery": str(delivery.pk),
        "CDP-Signature": f"t={stamp},v1={signature(secret, stamp, body)}",
    }
    try:
        answer = outgoing.post(delivery.recipient.address, body=body, headers=headers, timeout_seconds=TIMEOUT_SECONDS)
    except outgoing.RefusedAddress as refusal:
        raise _Failed(refusal.fault.value, is_final=True) from refusal
    except outgoing.Unreachable as problem:
        raise _Failed(problem.fault.value) from problem
    if not answer.is_success:
        raise _Failed(f"http_{answer.status}")


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What a receiver computes to know that we sent it; `stamp` shows it how old it is."""
    return hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _document(delivery: AlertDelivery) -> dict[str, Any]:
    alert = delivery.alert
    if alert is None:
        return {"version": 1, "event": "test"}
    texts = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            texts[language] = {"title": alert_text.title(alert), "text": alert_text.describe(alert)}
    return {
        "version": 1,
        "event": f"alert.{delivery.event}",
        "alert": {
            "id": alert.pk,
            "kind": alert.kind,
            "source": alert.source.slug,
            "opened_at": alert.opened_at.isoformat(),
            "closed_at": alert.closed_at.isoformat() if alert.closed_at else None,
            "value": round(alert.value, 2),
            "limit": round(alert.threshold, 2),
            "unit": alert_text.UNITS[alert_text.AlertKind(alert.kind)],
        },
        "texts": texts,
        "url": alert_text.address(alert),
    }
