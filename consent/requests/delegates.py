"""Who decides on requests besides compliance: delegates of other departments, for some days at a time.

A company with one privacy officer works by them: what the officer records, the delegate approves. Nobody approves what
they have recorded themselves (the constraint `request_approved_by_another`), delegate or not.
"""

from datetime import date, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.errors import MendableError
from cdp_site.core.models import Role, User

LONGEST: Final = timedelta(days=366)


def appointed() -> Any:
    """Delegates of today and of later, the first to end first."""
    today = timezone.localdate()
    rows = User.objects.filter(is_active=True, decides_until__gte=today).select_related("department")
    return rows.order_by("decides_until", "username")


def candidates(by: User) -> Any:
    """Who can be appointed: people of other departments who do not decide by their role."""
    others = User.objects.filter(is_active=True).exclude(role__in=["", Role.COMPLIANCE]).exclude(department=None)
    return others.exclude(department=by.department_id).select_related("department").order_by("username")


@transaction.atomic
def appoint(*, user: User, since: date, until: date, by: User) -> None:
    """Let somebody of another department decide on requests in these days; appointing again changes the days.

    Raises MendableError for somebody who cannot be a delegate, and for days that cannot be.
    """
    if not candidates(by).filter(pk=user.pk).exists():
        raise MendableError(_("Choose somebody of another department."), field="user")
    if until < max(since, timezone.localdate()):
        raise MendableError(_("The last day lies before the first one, or is over."), field="until")
    if until - since > LONGEST:
        raise MendableError(_("A delegate is appointed for a year at most."), field="until")
    user.decides_from, user.decides_until = since, until
    user.save(update_fields=["decides_from", "decides_until"])
    audit.record(action="delegate.appoint", target=user, by=by, fields=["decides_from", "decides_until"])


@transaction.atomic
def dismiss(*, user: User, by: User) -> None:
    """They decide no more, from their next click on."""
    user.decides_from = user.decides_until = None
    user.save(update_fields=["decides_from", "decides_until"])
    audit.record(action="delegate.dismiss", target=user, by=by, fields=["decides_from", "decides_until"])
