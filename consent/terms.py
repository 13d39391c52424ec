"""When a consent has effect: for how long, and who gives it for a minor. The rules themselves are `consent.states`, and
`consent.state_sql` says them in SQL.

A consent counts from the day on which it was given. A minor's age is that of this day, so that growing up makes no
consent of a child's, and by what the person's records say: a member of staff's word before the sources', and of
several days of birth the youngest. So a merge never makes a minor of age.
"""

import re
from calendar import monthrange
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from consent.models import Purpose
from consent.states import Terms, birthday_before
from profiles.models import Membership, SourceRecord

# A day of birth, or its year or month alone. A year counts as its beginning.
BIRTHDAY = re.compile(r"^(19|20)[0-9]{2}(-[0-9]{2}){0,2}$")


def terms_of(purpose: Purpose, *, born: str, at: datetime) -> Terms:
    """The terms of a purpose for somebody born then, at the moment."""
    guarded = purpose.young == Purpose.Young.GUARDIAN
    return Terms(
        stale_before=None if purpose.months is None else months_before(at, purpose.months),
        born=born,
        own_age=settings.AGE_OF_MAJORITY if guarded else settings.AGE_OF_OWN_CONSENT,
        zone=ZoneInfo(settings.COMPANY_TIME_ZONE),
    )


def months_before(at: datetime, months: int) -> datetime:
    """The same day and time some calendar months earlier, or the last day of that month (UTC)."""
    moment = at.astimezone(UTC)
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def birth_of(profile_id: int) -> str:
    """The day of birth that makes a profile a minor or not; empty when no record says one. One query."""
    return _birth(Membership.objects.filter(profile=profile_id, valid_to__isnull=True).values("record"))


def birth_of_records(record_ids: Collection[int]) -> str:
    """The same by these records, as they are now. One query."""
    return _birth(record_ids)


def _birth(records: Any) -> str:
    rows = SourceRecord.objects.filter(pk__in=records, attributes__has_key="birth_date")
    return born_by(rows.values_list("kind", "attributes__birth_date"))


def born_by(records: Iterable[tuple[str, object]]) -> str:
    """The same by the kind and the day of birth of each record."""
    days = [(kind, day) for kind, day in records if isinstance(day, str) and BIRTHDAY.match(day)]
    by_staff = [day for kind, day in days if kind == SourceRecord.Kind.AGENT]
    return max(by_staff or [day for _kind, day in days], default="")


def is_minor(born: str, at: datetime, purpose: Purpose | None = None) -> bool:
    """Whether somebody born then needs a guardian at the moment: for the purpose, or for any."""
    own = purpose is not None and purpose.young == Purpose.Young.OWN
    age = settings.AGE_OF_OWN_CONSENT if own else settings.AGE_OF_MAJORITY
    day = at.astimezone(ZoneInfo(settings.COMPANY_TIME_ZONE)).date().isoformat()
    return bool(born) and born > birthday_before(day, age)
