"""What happens to requests by the clock: compliance is told before they are due, and after."""

import smtplib
from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil
from typing import Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cdp_site.core import jobs
from cdp_site.core.models import Role, User
from cdp_site.core.templatetags.formats import day as day_text
from consent.models import DataSubjectRequest, RequestAlert

log = structlog.get_logger("requests")

JOB: Final = "consent.jobs.mail_request_alert"
BEFORE: Final = (1, 7, 14)  # days; the nearest one first
OVERDUE: Final = 0


def alert() -> int:
    """Tell compliance of each open request whose due date has come within 14, 7 or 1 days, or is over: each of these
    once a due date. After a pause of the clock only the nearest is told. Returns how many. By the clock."""
    now = timezone.now()
    near = DataSubjectRequest.objects.open().filter(due_at__lte=now + timedelta(days=max(BEFORE)))
    told = 0
    for request in near.order_by("due_at"):
        with transaction.atomic():
            row, is_new = RequestAlert.objects.get_or_create(
                request=request, due_at=request.due_at, days=_step(request.due_at, now), defaults={"told_at": now}
            )
            if is_new:
                told += 1
                jobs.enqueue(JOB, row.pk)
    return told


def mail(alert_id: int) -> None:
    """The job that mails one alert to everybody of compliance and to delegates; no customer's data is in it."""
    row = RequestAlert.objects.select_related("request").get(pk=alert_id)
    for user in _told():
        with translation.override(user.language or settings.LANGUAGE_CODE):
            message = EmailMessage(subject=_subject(row), body=_body(row), to=[user.email])
        try:
            message.send()
        except (OSError, smtplib.SMTPException) as error:
            log.warning("request.alert_not_mailed", alert=alert_id, user=user.pk, error=type(error).__name__)


def _step(due_at: datetime, now: datetime) -> int:
    """14, 7 or 1, whichever the due date has come within; 0 when it is over."""
    if due_at < now:
        return OVERDUE
    return next(days for days in BEFORE if due_at <= now + timedelta(days=days))


def _told() -> Iterable[User]:
    today = timezone.localdate()
    people = User.objects.filter(is_active=True).exclude(email="")
    delegates = people.filter(decides_from__lte=today, decides_until__gte=today)
    return (people.filter(role=Role.COMPLIANCE) | delegates).order_by("pk")


def _subject(row: RequestAlert) -> str:
    return f"[{settings.COMPANY_NAME}] " + _("Request %(reference)s: %(left)s") % {
        "reference": row.request.reference,
        "left": _left(row),
    }


def _left(row: RequestAlert) -> str:
    if row.days == OVERDUE:
        return _("the legal period is over")
    days = max(1, ceil((row.due_at - row.told_at) / timedelta(days=1)))
    return ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days}


def _body(row: RequestAlert) -> str:
    lines = [
        _("%(kind)s, due on %(day)s. Status: %(status)s.")
        % {
            "kind": row.request.get_kind_display(),
            "day": day_text(row.due_at),
            "status": row.request.get_status_display(),
        }
    ]
    if settings.PUBLIC_URL:
        lines.append(settings.PUBLIC_URL.rstrip("/") + reverse("consent:request", args=[row.request_id]))
    return "\n\n".join(lines)
