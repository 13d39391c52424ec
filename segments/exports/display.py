"""A list as its page shows it: how far it is, who is not on it and why, and what it brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import Permission, may
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from consent.reasons import Reason
from segments.exports import formats, problems
from segments.exports.asking import SMALL, Preview
from segments.exports.comparison import Comparison
from segments.exports.lift import Group, Verdict
from segments.models import SegmentExport

MINUS: Final = "\N{MINUS SIGN}"

VERDICTS: Mapping[Verdict, tuple[Text, Text]] = {
    Verdict.MORE: (
        _("The list brought something"),
        _("Those on it did it more often than those held out, and by more than chance explains."),
    ),
    Verdict.LESS: (
        _("The list did harm"),
        _("Those on it did it less often than those held out, and by more than chance explains."),
    ),
    Verdict.NOT_PROVEN: (
        _("Not proven"),
        _("The true difference may be 0, and what is seen chance. More people, or a larger holdout, would tell more."),
    ),
    Verdict.TOO_FEW: (
        _("Too few to say"),
        _("A group of fewer than ten people says something of single persons and nothing of a list."),
    ),
    Verdict.BROKEN: (
        _("The groups are not those that were drawn"),
        _("So many of one group are gone since, by merges or erasures, that a comparison would mislead."),
    ),
}
_KIND: Mapping[Verdict, str] = {Verdict.MORE: "ok", Verdict.LESS: "danger"}


@dataclass(frozen=True)
class Account:
    """`is_mine`: the reader asked for it, and may still fetch it."""

    export: SegmentExport
    is_mine: bool

    @classmethod
    def of(cls, export: SegmentExport, *, by: User) -> "Account":
        return cls(export, export.by_id == by.pk and may(by, Permission.EXPORT_SEGMENTS))

    @property
    def may_fetch(self) -> bool:
        return self.is_mine and self.export.is_ready and bool(self.export.stored_as)

    @property
    def hint(self) -> Text:
        return formats.of(self.export).hint

    @property
    def left_out(self) -> Sequence[tuple[Reason, int]]:
        """Reasons with their people, most first."""
        return sorted(
            ((Reason(code), people) for code, people in self.export.n_left_out.items()), key=lambda one: -one[1]
        )

    @property
    def failure(self) -> tuple[Text, Text]:
        return problems.failure(self.export.problem)

    @property
    def is_small(self) -> bool:
        """So few are on the list that it says something of single persons."""
        return self.export.is_ready and 0 < self.export.n_exported < SMALL

    @property
    def below_least(self) -> int:
        """How many people the platform wants at least, where there are fewer; 0 otherwise."""
        least = formats.of(self.export).least
        return least if self.export.is_ready and self.export.n_exported < least else 0

    @property
    def days_left(self) -> int:
        """Until both groups are compared, begun ones counted."""
        until = self.export.measured_until
        return 0 if until is None else max(0, -((timezone.now() - until) // timedelta(days=1)))


# Of the drawing, in its own units: the interval of the difference on a line with 0 in its middle.
WIDTH, HEIGHT, MARGIN = 320, 48, 12


@dataclass(frozen=True)
class Drawn:
    """The difference with its interval; `x` of each."""

    low: float
    value: float
    high: float

    width, height, middle, line = WIDTH, HEIGHT, WIDTH / 2, 20

    @property
    def length(self) -> float:
        return max(1.0, round(self.high - self.low, 1))


@dataclass(frozen=True)
class Result:
    """A comparison in words and numbers as they are read."""

    comparison: Comparison

    @property
    def heading(self) -> Text:
        return VERDICTS[self.comparison.lift.verdict][0]

    @property
    def text(self) -> Text:
        return VERDICTS[self.comparison.lift.verdict][1]

    @property
    def kind(self) -> str:
        """Of the notice."""
        return _KIND.get(self.comparison.lift.verdict, "warn")

    @property
    def says_numbers(self) -> bool:
        """Rates of a few people would tell what single ones did."""
        return self.comparison.lift.verdict != Verdict.TOO_FEW

    @property
    def groups(self) -> Sequence[tuple[Text, Group, str, str]]:
        """Name, numbers, rate, and between what it lies."""
        lift = self.comparison.lift
        return [
            (name, group, percent(group.rate), f"{percent(group.interval[0])} – {percent(group.interval[1])}")
            for name, group in ((_("On the list"), lift.listed), (_("Held out"), lift.held_out))
        ]

    @property
    def difference(self) -> str:
        return points(self.comparison.lift.difference)

    @property
    def bounds(self) -> tuple[str, str]:
        return points(self.comparison.lift.low), points(self.comparison.lift.high)

    @property
    def brought(self) -> tuple[int, int]:
        """People who did it because of the list, least and most; where it is proven that there are any."""
        return self.comparison.lift.brought

    @property
    def is_proven(self) -> bool:
        return self.comparison.lift.verdict == Verdict.MORE

    @property
    def drawn(self) -> Drawn:
        lift = self.comparison.lift
        reach = max(abs(lift.low), abs(lift.high)) or 1.0
        scale = (WIDTH / 2 - MARGIN) / reach
        return Drawn(*(round(WIDTH / 2 + value * scale, 1) for value in (lift.low, lift.difference, lift.high)))


@dataclass(frozen=True)
class Prospect:
    """What a list of this size could prove, in numbers as they are read."""

    preview: Preview

    @property
    def rate(self) -> str:
        return percent(self.preview.rate or 0.0)

    @property
    def provable(self) -> str:
        """Percentage points; empty where nothing is measured."""
        least = self.preview.provable
        return "" if least is None else f"{100 * least:.1f}"


def percent(share: float) -> str:
    """ "4.2 %"."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def points(difference: float) -> str:
    """Percentage points with their sign: "+1.3"."""
    rounded = round(100 * difference, 1)
    return f"{'+' if rounded > 0 else MINUS if rounded < 0 else ''}{abs(rounded):.1f}"
