"""Who is told of alerts."""

import secrets
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, hashing, outgoing
from cdp_site.core.errors import ConflictProblem, Text
from cdp_site.core.models import Department, User
from ingestion.health import delivery
from ingestion.models import AlertDelivery, AlertRecipient

SECRET_PREFIX: Final = "cdp_alert_"


@dataclass(frozen=True, slots=True)
class Added:
    """A new recipient; the secret of a webhook's signature is told this once."""

    recipient: AlertRecipient
    secret: str


def add(*, channel: str, address: str, department: Department | None, language: str, by: User | str) -> Added:
    """Tell this address of alerts from now on.

    Args:
        department: whose sources; None means all sources of the company.

    Raises ConflictProblem when it is told already, RefusedAddress for a URL that is never called.
    """
    is_webhook = channel == AlertRecipient.Channel.WEBHOOK
    if is_webhook:
        outgoing.check(address)
    secret = SECRET_PREFIX + secrets.token_urlsafe(32) if is_webhook else ""
    try:
        with transaction.atomic():
            recipient = AlertRecipient.objects.create(
                channel=channel,
                address=address,
                department=department,
                language=language,
                secret=hashing.seal(secret.encode()) if secret else None,
            )
            audit.record(
                action="alert_recipient.add", target=recipient, by=by, fields=["channel", "address", "department"]
            )
    except IntegrityError as error:
        raise ConflictProblem(_("This address is told already."), field="address") from error
    return Added(recipient, secret)


@transaction.atomic
def remove(*, recipient: AlertRecipient, by: User | str) -> None:
    """It is told no more; what was still to be sent to it goes."""
    audit.record(action="alert_recipient.remove", target=recipient, by=by, fields=["address"])
    recipient.delete()


def send_test(*, recipient: AlertRecipient, by: User | str) -> AlertDelivery:
    """Send a test at once and return what became of it; it is tried once. Must not run inside a transaction."""
    with transaction.atomic():
        test = AlertDelivery.objects.create(recipient=recipient, event=AlertDelivery.Event.TEST, due_at=timezone.now())
        audit.record(action="alert_recipient.test", target=recipient, by=by)
    delivery.deliver(test.pk)
    test.refresh_from_db()
    return test


def problem_text(code: str) -> Text:
    """Why a delivery did not arrive, in words."""
    if code == delivery.NO_MAIL:
        return _("The mail server did not take it.")
    if code.startswith("http_"):
        return _("The receiver answered with status %(status)s.") % {"status": code.removeprefix("http_")}
    return outgoing.FAULT_TEXTS.get(code, code)
