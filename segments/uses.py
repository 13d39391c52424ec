"""What stands on a segment: other segments, what agents say, lists that were taken.

A segment that something stands on is neither deleted nor archived: the marketer reads what it is, and goes there first.
Another app part that comes to use segments registers a finder here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core.errors import ConflictProblem, Text
from cdp_site.core.models import User
from segments.models import Script, Segment, SegmentExport

EXPORTS = 20  # the latest; the segment's own list has them all


@dataclass(frozen=True, slots=True)
class Use:
    """`name` and `url` are empty for what the reader may not see; it `blocks` all the same."""

    kind: Text
    name: str
    url: str
    blocks: bool
    note: str = ""
    at: datetime | None = None


Finder = Callable[[Segment, User], Iterable[Use]]
_finders: list[Finder] = []


def register(finder: Finder) -> None:
    """A function that finds the uses of a segment, as a user may read them."""
    _finders.append(finder)


class InUseProblem(ConflictProblem):
    """A segment cannot go while something stands on it."""

    code = "in_use"

    def __init__(self, uses: Iterable[Use]) -> None:
        names = ", ".join(f"“{use.name}”" if use.name else _("something of another department") for use in uses)
        super().__init__(
            _("The segment is in use: %(names)s.") % {"names": names},
            hint=_("Take it out there first; “Used by” leads there."),
        )


def of(segment: Segment, *, by: User) -> list[Use]:
    """Everything that uses the segment, what blocks its end first. One query for each kind of user."""
    found = [use for finder in (_segments, _scripts, _exports, *_finders) for use in finder(segment, by)]
    return sorted(found, key=lambda use: not use.blocks)


def refuse_while_used(segment: Segment, *, by: User) -> None:
    """Raises InUseProblem while something stands on the segment."""
    blocking = [use for use in of(segment, by=by) if use.blocks]
    if blocking:
        raise InUseProblem(blocking)


def _segments(segment: Segment, by: User) -> Iterable[Use]:
    visible = set(Segment.objects.visible_to(by).naming_segment(segment.pk).values_list("pk", flat=True))
    for one in Segment.objects.naming_segment(segment.pk):
        seen = one.pk in visible
        yield Use(
            kind=gettext_lazy("Segment"),
            name=one.name if seen else "",
            url=reverse("segments:segment", args=[one.pk]) if seen else "",
            blocks=True,
            note=_("archived") if one.is_archived else "",
        )


def _scripts(segment: Segment, by: User) -> Iterable[Use]:
    script: Script | None = Script.objects.filter(segment=segment).first()
    if script is not None:
        yield Use(
            kind=gettext_lazy("Agent script"),
            name=segment.name,
            url=reverse("segments:scripts"),
            blocks=script.is_active,
            note="" if script.is_active else _("not shown"),
            at=script.changed_at,
        )


def _exports(segment: Segment, by: User) -> Iterable[Use]:
    """What was taken is on record under its own name; only what is being taken now keeps the segment."""
    for export in segment.exports.newest_first()[:EXPORTS]:
        yield Use(
            kind=gettext_lazy("Export"),
            name=str(export.purpose),
            url=reverse("segments:exported", args=[export.pk]),
            blocks=export.status in (SegmentExport.Status.WAITING, SegmentExport.Status.RUNNING),
            note=export.get_format_display(),
            at=export.at,
        )
