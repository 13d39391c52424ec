"""What is noted of logins: in the audit, in the transaction of what it speaks of; and whom a mail tells of it."""

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from cdp_site.core import audit, jobs
from cdp_site.core.login import mails
from cdp_site.core.login.mails import News
from cdp_site.core.models import User

ACTOR = "system:login"  # where nobody has shown yet who they are


@transaction.atomic
def logged_in(user: User, *, how: list[str], on_new_device: bool) -> None:
    """`how`: the ways in that were used, such as ["password", "totp"]."""
    audit.record(action="login", target=user, by=user, fields=how)
    if on_new_device:
        mails.tell(user, News.NEW_DEVICE)


@transaction.atomic
def logged_out(user: User) -> None:
    audit.record(action="logout", target=user, by=user)


def failed(name: str) -> None:
    """A wrong password. What was typed may be anything, so of a name that nobody has the audit says only that."""
    user = User.objects.filter(username=name).first()
    with transaction.atomic():
        audit.record(action="login.failed", target=user or ("core.User", ""), by=ACTOR, fields=["password"])


def forgotten(name: str) -> None:
    """A new password was asked for: the way to it goes to the user's mailbox, if there is such a user, who has one and
    has a password at all. A job is made in any case, so that the answer takes as long for every name."""
    user = User.objects.filter(username=name, is_active=True).first()
    with transaction.atomic():
        audit.record(action="login.forgotten", target=user or ("core.User", ""), by=ACTOR)
        jobs.enqueue(mails.LINK_JOB, user.pk if user is not None and user.has_usable_password() else 0)


@transaction.atomic
def failed_second(user: User) -> None:
    """The right password, and then a wrong code."""
    audit.record(action="login.failed", target=user, by=ACTOR, fields=["code"])


@transaction.atomic
def failed_again(user: User) -> None:
    """Who sits at the user's open session could not say again who they are."""
    audit.record(action="login.again_failed", target=user, by=user)


@transaction.atomic
def said_again(user: User, *, how: str) -> None:
    audit.record(action="login.again", target=user, by=user, fields=[how])


@transaction.atomic
def used_recovery_code(user: User) -> None:
    mails.tell(user, News.RECOVERY_CODE)


@transaction.atomic
def linked(user: User) -> None:
    """The company's login provider vouched for the user's address: from now on its subject is this user."""
    audit.record(action="login.linked", target=user, by=user)
    mails.tell(user, News.LINKED)


@receiver(post_save, sender=Authenticator, dispatch_uid="core.login.second_factor_added")
@transaction.atomic
def second_factor_added(sender: object, instance: Authenticator, created: bool, **kwargs: Any) -> None:
    if created:
        _second_factor("second_factor.add", instance, News.FACTOR_ADDED)


@receiver(post_delete, sender=Authenticator, dispatch_uid="core.login.second_factor_removed")
@transaction.atomic
def second_factor_removed(sender: object, instance: Authenticator, **kwargs: Any) -> None:
    _second_factor("second_factor.remove", instance, News.FACTOR_REMOVED)


def _second_factor(action: str, factor: Authenticator, news: News) -> None:
    user: User = factor.user
    audit.record(action=action, target=user, by=_who_is_here(user), fields=[factor.type])
    if factor.type != Authenticator.Type.RECOVERY_CODES:  # they come and go with the others
        mails.tell(user, news)


def _who_is_here(user: User) -> User | str:
    request: HttpRequest | None = context.request
    here = getattr(request, "user", None)
    return here if isinstance(here, User) else ACTOR
