"""Mails of the preference centre: the link to a person's page, and the receipt of what they said there.

They fulfil a duty (PDPA s.19: withdrawing is as easy as consenting; s.23), so that no consent is asked for them; the
gate still gives out the address (`gate.for_duty`). A mail that the server does not take is logged and not sent again.
"""

import smtplib
from collections.abc import Sequence
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from consent import gate
from consent.models import Channel, ConsentEntry
from consent.preferences import links
from consent.wording import STATES
from profiles.models import Membership, Profile

log = structlog.get_logger("preferences")

LINK_JOB = "consent.jobs.send_preference_link"


def send_link(profile_id: int, language: str) -> bool:
    """The job: mail the link to the person's best address. False when there is nobody, or no address."""
    profile = Profile.objects.live().filter(pk=profile_id).first()
    if profile is None:
        return False
    with translation.override(language):
        body = [
            _("On this page you choose what %(company)s may use your data for, and how we may reach you:"),
            links.address(profile.public_id),
            _("The link works for %(days)s days and is meant for you alone. You need no password."),
            _("If you did not ask for it, there is nothing to do."),
        ]
        return _send(profile, _("Your privacy settings"), body, "link")


def send_receipt(language: str, entry_ids: Sequence[UUID]) -> bool:
    """The job: mail what was said. False when there is nobody any more, or no address."""
    entries = list(ConsentEntry.objects.filter(pk__in=entry_ids).select_related("purpose").order_by("pk"))
    owned = Membership.objects.filter(record__in=[one.record_id for one in entries], valid_to__isnull=True)
    profile = Profile.objects.live().filter(pk__in=owned.values("profile")).first()
    if profile is None:
        return False
    with translation.override(language):
        lines = sorted(
            {f"- {entry.purpose}, {Channel(entry.channel).label}: {STATES[entry.state]}" for entry in entries}
        )
        body = [
            _("This is what you told %(company)s on %(day)s:")
            % {"company": settings.COMPANY_NAME, "day": _moment(entries[0])},
            "\n".join(lines),
            _("It holds from that moment. Here you can change it at any time:"),
            links.address(profile.public_id),
        ]
        return _send(profile, _("What you have chosen"), body, "receipt")


def _moment(entry: ConsentEntry) -> str:
    return date_format(timezone.localtime(entry.occurred_at), "DATETIME_FORMAT")


def _send(profile: Profile, subject: str, body: Sequence[str], what: str) -> bool:
    addresses = gate.for_duty(profile, Channel.EMAIL)
    if not addresses:
        return False
    told = {"company": settings.COMPANY_NAME, "days": settings.PREFERENCE_LINK_DAYS}
    text = "\n\n".join(part % told if "%(" in part else part for part in body)
    message = EmailMessage(subject=f"[{settings.COMPANY_NAME}] {subject}", body=text, to=addresses[:1])
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("preferences.mail_not_sent", what=what, error=type(error).__name__)
        return False
    return True
