"""Mails about one's own login, in one's own language: sent by jobs once the change is committed."""

import smtplib
from collections.abc import Callable
from enum import StrEnum

import structlog
from django.conf import settings
from django.contrib.auth.tokens import default_token_generator as tokens
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core import jobs
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import day_text

log = structlog.get_logger("login")

JOB = "cdp_site.core.login.mails.send"
LINK_JOB = "cdp_site.core.login.mails.send_link"


class News(StrEnum):
    """What somebody is told; the value is a job's argument."""

    NEW_DEVICE = "new-device"
    PASSWORD = "password"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    RECOVERY_CODE = "recovery-code"
    LINKED = "linked"


_TEXTS: dict[News, tuple[Promise, Promise]] = {
    News.NEW_DEVICE: (
        gettext_lazy("Login from a new device"),
        gettext_lazy("Your account was used to log in from a browser that it was not used in before."),
    ),
    News.PASSWORD: (
        gettext_lazy("Your password was changed"),
        gettext_lazy("The password of your account was changed. You are logged out everywhere else."),
    ),
    News.FACTOR_ADDED: (
        gettext_lazy("A second way to prove who you are was added"),
        gettext_lazy("A code app or a passkey was added to your account."),
    ),
    News.FACTOR_REMOVED: (
        gettext_lazy("A second way to prove who you are was removed"),
        gettext_lazy("A code app or a passkey was removed from your account."),
    ),
    News.RECOVERY_CODE: (
        gettext_lazy("A recovery code was used"),
        gettext_lazy("One of your recovery codes was used to log in. It cannot be used again."),
    ),
    News.LINKED: (
        gettext_lazy("The company login now opens your account"),
        gettext_lazy("Your account was used through the company login for the first time."),
    ),
}


def tell(user: User, news: News) -> None:
    """Mail the user this once the transaction is committed; nothing for somebody without an address."""
    if user.email:
        jobs.enqueue(JOB, user.pk, str(news))


def send(user_id: int, news: str) -> None:
    """The job. A mail server that does not take it is logged: such a mail is a warning and comes at once or never."""
    subject, said = _TEXTS[News(news)]
    _send(user_id, news, subject, lambda _user: _body(str(said)))


def send_link(user_id: int) -> None:
    """The job that mails the way to a new password; nothing for a user who is not there."""
    _send(user_id, "forgotten", gettext_lazy("Choose a new password"), _link_body)


def _send(user_id: int, news: str, subject: Promise, body_for: Callable[[User], str]) -> None:
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is None:
        return
    with translation.override(user.language or settings.LANGUAGE_CODE):
        message = EmailMessage(subject=f"[{settings.COMPANY_NAME}] {subject}", body=body_for(user), to=[user.email])
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("login.mail_not_sent", user=user_id, news=news, error=type(error).__name__)


def _link_body(user: User) -> str:
    path = reverse("new_password", args=[urlsafe_base64_encode(str(user.pk).encode()), tokens.make_token(user)])
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    return "\n\n".join(
        [
            _("Somebody asked for a new password of your account “%(name)s”.") % {"name": user.get_username()},
            _("Choose it here, within %(minutes)s minutes; the link works once:") % {"minutes": minutes},
            settings.PUBLIC_URL.rstrip("/") + path,
            _("If this was not you, there is nothing to do: your password stays as it is."),
        ]
    )


def _body(said: str) -> str:
    now = timezone.localtime()
    lines = [
        said,
        _("When: %(when)s") % {"when": f"{day_text(now)} {now:%H:%M}"},
        _("If this was you, there is nothing to do. If not, change your password and tell an administrator at once."),
    ]
    if settings.PUBLIC_URL:
        lines.append(settings.PUBLIC_URL.rstrip("/") + reverse("account"))
    return "\n\n".join(lines)
