"""How a person gets on in review, and what they said last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from cdp_site.core.models import User
from profiles.matching import labels, review
from profiles.matching.labels import Agreement, Origin
from profiles.models import MatchLabel, SourceRecord
from profiles.naming import shown_name

LAST = 10
# Who has not decided for so long was away.
PAUSE = timedelta(minutes=2)
_LOOKED_AT = 40  # decisions of which the pace is taken
_ONE_BY_ONE = (Origin.QUEUE, Origin.TRAINING)


@dataclass(frozen=True, slots=True)
class Progress:
    """`per_minute` and `hours_left` are None before somebody has decided on a few."""

    today: int
    total: int
    waiting: int
    per_minute: float | None
    hours_left: float | None
    agreement: Agreement

    @property
    def agreed(self) -> str:
        """The share as text; "–" where nothing was compared."""
        return "–" if self.agreement.share is None else f"{100 * self.agreement.share:.0f} %"

    @property
    def kappa(self) -> str:
        return "–" if self.agreement.kappa is None else f"{self.agreement.kappa:.2f}"


@dataclass(frozen=True, slots=True)
class Said:
    """A verdict as the list shows it: of whom, and whether it was one of many at once (`count`, `operation_id`)."""

    label: MatchLabel
    names: Sequence[str]
    count: int = 1
    operation_id: UUID | None = None


def progress(user: User) -> Progress:
    """Five queries."""
    standing = MatchLabel.objects.filter(by=user, undone_at__isnull=True)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    counted = standing.aggregate(today=Count("pk", filter=Q(at__gte=midnight)), total=Count("pk"))
    times = standing.filter(origin__in=_ONE_BY_ONE).order_by("-at").values_list("at", flat=True)[:_LOOKED_AT]
    waiting = review.waiting_for(user)
    per_minute = pace(list(times))
    return Progress(
        today=counted["today"],
        total=counted["total"],
        waiting=waiting,
        per_minute=per_minute,
        hours_left=None if per_minute is None else waiting / per_minute / 60,
        agreement=labels.agreement(of=user),
    )


def pace(times: Sequence[datetime]) -> float | None:
    """Decisions a minute, newest first, pauses left out. None for fewer than three in a row.

    >>> from datetime import datetime as at
    >>> pace([at(2026, 1, 1, 9, 1, 0), at(2026, 1, 1, 9, 0, 30), at(2026, 1, 1, 9, 0, 0), at(2026, 1, 1, 8)])
    2.0
    """
    gaps = [later - earlier for later, earlier in pairwise(times) if later - earlier <= PAUSE]
    worked = sum(gaps, timedelta()).total_seconds()
    return None if len(gaps) < 2 or not worked else 60 * len(gaps) / worked


def last(user: User) -> list[Said]:
    """What the person said last, newest first; many at once are one line. Three queries."""
    standing = MatchLabel.objects.filter(by=user, undone_at__isnull=True)
    one_by_one = list(standing.filter(origin__in=_ONE_BY_ONE).order_by("-pk")[:LAST])
    many = standing.filter(origin=Origin.BULK).order_by("operation_id", "-pk").distinct("operation_id")
    at_once = sorted(many, key=lambda label: -label.pk)[:3]
    counts = dict(
        standing.filter(operation_id__in=[label.operation_id for label in at_once])
        .values_list("operation_id")
        .annotate(n=Count("pk"))
        .order_by()
    )
    numbers = {number for label in one_by_one for number in (label.record_a_id, label.record_b_id)}
    names = {
        number: shown_name(attributes)
        for number, attributes in SourceRecord.objects.filter(pk__in=numbers).values_list("pk", "attributes")
    }
    said = [Said(label, (names.get(label.record_a_id, ""), names.get(label.record_b_id, ""))) for label in one_by_one]
    said += [Said(label, (), counts[label.operation_id], label.operation_id) for label in at_once]
    return sorted(said, key=lambda one: one.label.pk, reverse=True)[:LAST]


def latest(user: User) -> MatchLabel | None:
    """The verdict that an undo takes back: the last one given one by one. One query."""
    standing = MatchLabel.objects.filter(by=user, undone_at__isnull=True, origin__in=_ONE_BY_ONE)
    return standing.order_by("-pk").first()
