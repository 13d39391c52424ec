"""How a run is shown: its state, its figures, and whom it joined, parted or held back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cdp_site.core.access import scope_of
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import overview
from profiles.matching import forgetting
from profiles.matching.rails import Guard
from profiles.matching.runs import PROBLEMS
from profiles.models import MatchChange, MatchRun, Membership
from profiles.naming import shown_name

PAGE_SIZE: Final = 50

PHASES: Final[dict[str, Text]] = {
    "": gettext_lazy("Waiting to begin"),
    "collecting": gettext_lazy("Collecting what changed"),
    "keys": gettext_lazy("Making keys"),
    "scoring": gettext_lazy("Comparing records"),
    "deciding": gettext_lazy("Joining and parting"),
    "asking": gettext_lazy("Asking about the rest"),
}
GUARDS: Final[dict[str, Text]] = {
    Guard.TWO_IDS: gettext_lazy("Two numbers of a kind of which a person has one"),
    Guard.GIVEN_NAMES: gettext_lazy("More than three different names"),
    Guard.LARGEST: gettext_lazy("Too many records for one person"),
    Guard.DENSITY: gettext_lazy("Too few of its pairs are alike"),
    "verified": gettext_lazy("A verified record"),
}
# In a trial nothing has happened: the words say what would.
ACTIONS: Final[dict[str, tuple[Text, Text]]] = {
    MatchChange.Action.LINK: (gettext_lazy("Joined"), gettext_lazy("Would join")),
    MatchChange.Action.WITHDRAW: (gettext_lazy("Parted"), gettext_lazy("Would part")),
    MatchChange.Action.REVIEW: (gettext_lazy("Asked about"), gettext_lazy("Would ask about")),
    MatchChange.Action.HELD_BACK: (gettext_lazy("Held back"), gettext_lazy("Would hold back")),
}
_FIGURES: Final[dict[str, str]] = {
    MatchChange.Action.LINK: "links",
    MatchChange.Action.WITHDRAW: "withdrawn",
    MatchChange.Action.REVIEW: "reviews",
    MatchChange.Action.HELD_BACK: "held_back",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A count of the report; `action` where its rows can be listed."""

    label: Text
    number: int
    action: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A run as its page and the list show it."""

    run: MatchRun

    @property
    def is_trial(self) -> bool:
        return self.run.kind == MatchRun.Kind.SHADOW

    @property
    def is_rollback(self) -> bool:
        return self.run.kind == MatchRun.Kind.ROLLBACK

    @property
    def is_running(self) -> bool:
        return self.run.status == MatchRun.Status.RUNNING

    @property
    def phase(self) -> Text:
        return PHASES.get(self.run.phase, "")

    @property
    def problem(self) -> Text:
        return PROBLEMS.get(self.run.problem, self.run.problem)

    @property
    def figures(self) -> Sequence[Figure]:
        """What the run changed, by action."""
        return [
            Figure(texts[self.is_trial], self._number(_FIGURES[action]), action) for action, texts in ACTIONS.items()
        ]

    @property
    def looked_at(self) -> Sequence[Figure]:
        found = [
            Figure(_("Records"), self._number("records")),
            Figure(_("Pairs compared"), self._number("pairs")),
            Figure(_("Records without a key"), self._number("without_key")),
        ]
        if unasked := self._number("unasked"):
            found.append(Figure(_("Less likely, not asked about"), unasked))
        return found

    @property
    def guards(self) -> Sequence[Figure]:
        """Held back, by guard rail; those that held nothing are left out."""
        counted = ((text, self._number(f"guard_{guard}")) for guard, text in GUARDS.items())
        return [Figure(text, number) for text, number in counted if number]

    @property
    def duration(self) -> str:
        """How long processes worked on it; "" while that is not known."""
        return duration(self.run.report.get("seconds"))

    @property
    def listed_until(self) -> datetime | None:
        """Until when its changes were listed; None while they are."""
        return forgetting.listed_until(self.run)

    @property
    def links(self) -> int:
        return self._number("links")

    @property
    def withdrawn(self) -> int:
        return self._number("withdrawn")

    @property
    def reviews(self) -> int:
        return self._number("reviews")

    @property
    def held_back(self) -> int:
        return self._number("held_back")

    def _number(self, name: str) -> int:
        return int(self.run.report.get(name, 0))


@dataclass(frozen=True, slots=True)
class Side:
    """One record of a change, as its source names the person. `public_id`: of the customer it belongs to now; None for
    what the reader may not see."""

    name: str
    source: Source | None
    public_id: UUID | None


@dataclass(frozen=True, slots=True)
class Row:
    left: Side
    right: Side
    score: float | None
    guard: Text

    @property
    def percent(self) -> int | None:
        return None if self.score is None else int(self.score * 100)


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    next: int | None

    @property
    def next_key(self) -> str:
        return str(self.next or "")


def page(run: MatchRun, action: str, *, by: User, after: int = 0, size: int = PAGE_SIZE) -> Page:
    """The changes of one action beyond a change, as they were made. Four queries beside the scope."""
    found = list(MatchChange.objects.filter(run=run, action=action, pk__gt=after).order_by("pk")[: size + 1])
    shown = found[:size]
    sides = _sides({number for one in shown for number in (one.record_a_id, one.record_b_id)}, by)
    unseen = Side("", None, None)
    return Page(
        rows=[
            Row(
                sides.get(one.record_a_id, unseen),
                sides.get(one.record_b_id, unseen),
                one.score,
                GUARDS.get(one.guard, ""),
            )
            for one in shown
        ],
        next=shown[-1].pk if len(found) > size else None,
    )


def _sides(numbers: set[int], by: User) -> dict[int, Side]:
    scope = scope_of(by)
    records = overview.records_by_id(numbers, scope)
    values = overview.values_of({record.pk: [record] for record in records}, scope)
    current = Membership.objects.filter(record__in=records, valid_to=None)
    owners = dict(current.values_list("record", "profile__public_id"))
    return {record.pk: Side(shown_name(values[record.pk]), record.source, owners.get(record.pk)) for record in records}


def duration(seconds: float | None) -> str:
    """In words; "" while it is not known."""
    if seconds is None:
        return ""
    if seconds < 100:
        return ngettext("%(n)d second", "%(n)d seconds", round(seconds)) % {"n": round(seconds)}
    return ngettext("%(n)d minute", "%(n)d minutes", round(seconds / 60)) % {"n": round(seconds / 60)}
