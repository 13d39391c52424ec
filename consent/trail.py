"""Reading the audit: who did what to which object, page by page, and the state of its chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.timezone import make_aware

from cdp_site.core import anchors, audit
from cdp_site.core.actors import name_of, names_of, program
from cdp_site.core.errors import Text
from cdp_site.core.models import AccessLogEntry, AuditEvent, AuditSeal, Heartbeat, MachineKey, User
from consent.wording import LOOKS
from profiles.models import OpeningReason, Profile

PAGE_SIZE = 50
# Actions offered as a filter are those of the latest rows: the whole table is not read for a list of choices.
LOOK_BACK = 20_000
# The panel of one customer shows the latest looks. One visit of the page reads its parts one by one, within seconds.
SHOWN_VISITS = 10
READ_LOOKS = 200
SAME_VISIT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the audit. `url` leads to its object where the reader may open it."""

    event: AuditEvent
    actor: str
    is_sealed: bool
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    lines: Sequence[Line]
    next: int | None  # id of the last row shown, when there are older ones


@dataclass(frozen=True, slots=True)
class ChainState:
    """How far the chain reaches, the last check of it (None: never checked), and what is written down of it outside the
    database: how many anchors, and the last one."""

    sealed: int
    tail: int
    check: Heartbeat | None
    anchor_count: int = 0
    anchor: anchors.Anchor | None = None

    @property
    def is_whole(self) -> bool | None:
        return None if self.check is None else bool(self.check.detail["ok"])

    @property
    def faults(self) -> list[str]:
        return [] if self.check is None else list(self.check.detail["faults"])


@dataclass(slots=True)
class Visit:
    """Somebody looked at a customer: the parts of the page that they saw, from the first to the last look, and why they
    had contact details shown, where they did."""

    actor: str
    name: str
    began_at: datetime
    ended_at: datetime
    parts: list[Text]
    reasons: list[Text] = field(default_factory=list)


def matching(
    *, action: str = "", actor: str = "", kind: str = "", target: str = "",
    since: date | None = None, until: date | None = None,
) -> "QuerySet[AuditEvent]":  # fmt: skip
    """Rows that fit, in no order; the days in the company's time zone, the last one included."""
    wanted: dict[str, Any] = {"action": action, "actor": actor, "target_type": kind, "target_id": target}
    wanted |= {
        "at__gte": since and make_aware(datetime.combine(since, time())),
        "at__lt": until and make_aware(datetime.combine(until + timedelta(days=1), time())),
    }
    return AuditEvent.objects.filter(**{column: value for column, value in wanted.items() if value})


def page(*, by: User, before: int | None = None, **filters: Any) -> Page:
    """Rows that fit (`matching`), the newest first, older than the key. At most four queries."""
    rows = (
        matching(**filters)
        .order_by("-pk")
        .annotate(is_sealed=Exists(AuditSeal.objects.filter(event_id=OuterRef("pk"))))
    )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    names = names_of({row.actor for row in shown})
    urls = _urls(shown, by)
    return Page(
        lines=[
            Line(row, names[row.actor], row.is_sealed, urls.get((row.target_type, row.target_id), "")) for row in shown
        ],
        next=shown[-1].pk if len(found) > PAGE_SIZE else None,
    )


def choices() -> tuple[list[str], list[str]]:
    """Actions and kinds of objects that the filters offer. One query."""
    latest = set(AuditEvent.objects.order_by("-pk").values_list("action", "target_type")[:LOOK_BACK])
    return sorted({action for action, _kind in latest}), sorted({kind for _action, kind in latest})


def actors() -> list[tuple[str, str]]:
    """Everybody who works here, programs, and the parts of the platform that act by themselves lately. Three
    queries."""
    people = [(f"user:{user.pk}", name_of(user)) for user in User.objects.order_by("username")]
    people += [(f"key:{key.pk}", program(key)) for key in MachineKey.objects.newest_first()]
    latest = AuditEvent.objects.filter(actor__startswith="system:").order_by("-pk")
    parts = sorted(set(latest.values_list("actor", flat=True)[:LOOK_BACK]))
    return [*people, *names_of(parts).items()]


def chain_state() -> ChainState:
    """Four queries; the chain itself is walked by `audit.check_chain`."""
    sealed, book = AuditSeal.objects.count(), anchors.read()
    return ChainState(
        sealed=sealed,
        tail=AuditEvent.objects.count() - sealed,
        check=audit.last_check(),
        anchor_count=len(book.anchors),
        anchor=book.last,
    )


def visits_to(profile: Profile) -> list[Visit]:
    """Who looked at this customer lately, under any id that the customer has had, the latest first. Three queries."""
    ids = Profile.objects.filter(redirect_to=profile).values_list("public_id", flat=True)
    entries = AccessLogEntry.objects.filter(profile__in=[profile.public_id, *ids])
    latest = list(entries.order_by("-pk")[:READ_LOOKS])
    names = names_of({entry.actor for entry in latest})
    visits: list[Visit] = []
    for entry in latest:
        part = LOOKS.get(entry.what, entry.what)
        last = next((visit for visit in reversed(visits) if visit.actor == entry.actor), None)
        if last is not None and last.began_at - entry.at <= SAME_VISIT:
            last.began_at = entry.at
            if part not in last.parts:
                last.parts.insert(0, part)
        else:
            last = Visit(entry.actor, names[entry.actor], entry.at, entry.at, [part])
            visits.append(last)
        if entry.reason in OpeningReason.values and OpeningReason(entry.reason).label not in last.reasons:
            last.reasons.insert(0, OpeningReason(entry.reason).label)
    return visits[:SHOWN_VISITS]


def _urls(rows: Sequence[AuditEvent], by: User) -> dict[tuple[str, str], str]:
    """Pages of the objects, of those kinds that have one."""
    profiles = {row.target_id for row in rows if row.target_type == "profiles.Profile" and row.target_id.isdecimal()}
    visible: Mapping[Any, Profile] = Profile.objects.visible_to(by).in_bulk(profiles) if profiles else {}
    urls = {
        ("profiles.Profile", str(pk)): reverse("profiles:customer", args=[profile.public_id])
        for pk, profile in visible.items()
    }
    for row in rows:
        if row.target_type == "consent.DataSubjectRequest":
            urls[row.target_type, row.target_id] = reverse("consent:request", args=[row.target_id])
    return urls
