"""Opening a customer: who masks identifiers sees them for a while, for a verified call or for a reason that is noted.

The order of an opening is its guarantee: audit, access log, then the opening itself, in one transaction. What cannot be
noted is not opened. Openings with a reason are counted: so many customers a day and no more, and long before that
compliance is told. Customers opened for a verified call do not count: that is an agent's work.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.access import Permission, may
from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.models import AccessLogEntry, User
from profiles.models import CustomerOpening, OpeningReason, Profile

# A look at one matter; who needs longer says so again.
REASON_OPENS_FOR = timedelta(minutes=15)
# Longer than a call lasts; it ends with the call.
CALL_OPENS_FOR = timedelta(hours=1)
KEPT = timedelta(days=30)

REVEALED, REVEALED_IN_CALL = "reveal", "reveal.call"  # what the access log calls them
ALARM = "access.alarm"

# Reasons that a person may give; a verified call is none: that is for the call to say.
REASONS = tuple(reason for reason in OpeningReason if reason is not OpeningReason.VERIFIED_CALL)


class CapProblem(MendableError):
    """Too many customers opened today outside verified calls."""

    status = 429
    code = "cap_reached"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody opened many customers today outside verified calls."""

    user: User
    customers: int
    last_at: datetime
    is_capped: bool


def is_open(user: User, profile_id: int) -> bool:
    """Whether the customer's direct identifiers are open for this user now. One query a request, for all customers."""
    until = _standing(user).get(profile_id)
    return until is not None and until > timezone.now()


def open_until(user: User, profile_id: int) -> datetime | None:
    """Until when the customer is open for this user; None when not."""
    until = _standing(user).get(profile_id)
    return until if until is not None and until > timezone.now() else None


@transaction.atomic
def open_for_reason(profile: Profile, *, reason: str, by: User) -> CustomerOpening:
    """Reveal a customer that the user sees; counted by the cap unless opened before on the same day.

    Raises NotFoundProblem for who may not reveal, CapProblem above the cap, MendableError for an unknown reason.
    """
    if not may(by, Permission.REVEAL_IDENTIFIERS):
        raise NotFoundProblem(_("There is nothing here for you to open."))
    if reason not in {one.value for one in REASONS}:
        raise MendableError(_("Choose why you open this customer."), field="reason")
    # One at a time for each user: two at once would both find the last place below the cap free.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    counted = _counted_today(by)
    is_new = profile.pk not in counted
    if is_new and len(counted) >= settings.REVEALS_PER_DAY:
        raise CapProblem(
            _("You have opened %(n)d customers today outside verified calls; more are not possible today.")
            % {"n": len(counted)},
            hint=_("Verify the caller in a call, or ask your supervisor. Compliance has been told."),
        )
    opening = _open(profile, reason=reason, call_id=None, lasting=REASON_OPENS_FOR, by=by)
    if is_new and len(counted) + 1 == settings.REVEALS_BEFORE_ALARM:
        audit.record(action=ALARM, target=by, by="system:openings", fields=["reveals"])
    return opening


@transaction.atomic
def open_for_call(profile: Profile, *, call_id: int, by: User) -> CustomerOpening:
    """Open the customer of a call whose caller was verified; not counted by the cap. The caller's facts are the
    business of the call."""
    return _open(profile, reason=OpeningReason.VERIFIED_CALL, call_id=call_id, lasting=CALL_OPENS_FOR, by=by)


def close_call(call_id: int, *, by: User) -> None:
    """The call has ended: what it opened is masked again."""
    CustomerOpening.objects.of_call(call_id).standing(of=by, at=timezone.now()).update(until=timezone.now())
    _forget(by)


def revealed_today(user: User) -> int:
    """How many customers the user has opened today outside verified calls. One query."""
    return len(_counted_today(user))


def alarms() -> Sequence[Alarm]:
    """Who has opened more customers today than a working day explains, most first. Two queries."""
    rows = (
        CustomerOpening.objects.outside_calls()
        .since(_midnight())
        .values("user")
        .annotate(customers=Count("profile", distinct=True), last_at=Max("opened_at"))
        .filter(customers__gte=settings.REVEALS_BEFORE_ALARM)
        .order_by("-customers", "user")
    )
    users = User.objects.in_bulk([row["user"] for row in rows])
    return [
        Alarm(users[row["user"]], row["customers"], row["last_at"], row["customers"] >= settings.REVEALS_PER_DAY)
        for row in rows
    ]


def forget_old() -> int:
    """Chore: openings of long ago go; the access log keeps that they were. Returns how many went."""
    return CustomerOpening.objects.before(timezone.now() - KEPT).delete()[0]


def _open(profile: Profile, *, reason: str, call_id: int | None, lasting: timedelta, by: User) -> CustomerOpening:
    what = REVEALED if call_id is None else REVEALED_IN_CALL
    audit.record(action=f"customer.{what}", target=profile, by=by, fields=[reason])
    AccessLogEntry.objects.create(actor=audit.actor_name(by), profile=profile.public_id, what=what, reason=reason)
    now = timezone.now()
    opening: CustomerOpening = CustomerOpening.objects.create(
        user=by, profile=profile, reason=reason, call_id=call_id, opened_at=now, until=now + lasting
    )
    _forget(by)
    return opening


def _standing(user: User) -> dict[int, datetime]:
    """Profile id → until when it is open for this user, remembered on the user object for this request. Whoever was
    merged into another meanwhile is open as that one: it is the same person."""
    remembered: dict[int, datetime] | None = getattr(user, "_openings", None)
    if remembered is None:
        rows = CustomerOpening.objects.standing(of=user, at=timezone.now()).values_list(
            "profile", "profile__redirect_to", "until"
        )
        remembered = _latest((key, until) for *keys, until in rows for key in keys if key is not None)
        user._openings = remembered  # type: ignore[attr-defined]
    return remembered


def _latest(pairs: Iterable[tuple[int, datetime]]) -> dict[int, datetime]:
    latest: dict[int, datetime] = {}
    for key, until in pairs:
        latest[key] = max(until, latest.get(key, until))
    return latest


def _forget(user: User) -> None:
    user.__dict__.pop("_openings", None)


def _counted_today(user: User) -> set[int]:
    """Ids of the customers that the user opened today with a reason."""
    today = CustomerOpening.objects.outside_calls().since(_midnight()).filter(user=user)
    return set(today.values_list("profile", flat=True))


def _midnight() -> datetime:
    """When the company's day began."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
