"""Asking for a list: what it would be, and the wish itself, which a job carries out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from cdp_site.core import audit, jobs
from cdp_site.core.access import scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent.models import Purpose
from consent.reasons import Reason
from segments import audience
from segments.audience import Question
from segments.authoring import ArchivedProblem
from segments.exports import comparison, formats, gating, lift
from segments.exports.columns import DEFAULT, header, offered
from segments.exports.job import CHUNK, JOB
from segments.models import Segment, SegmentExport

SMALL: Final = 10
"""Below so many people a list, or a part of it, says something of single persons."""
SAMPLE: Final = 10_000
"""Members whom the gate is asked about while somebody waits, five statements a channel: ± 1 percentage point at worst.
By those who pass it is judged how many do it anyway: ± .5 percentage points around 5 %."""
MOST_HELD_OUT: Final = 50  # percent


@dataclass(frozen=True)
class Wish:
    """What somebody wants a list to be. `channel` and `columns` are of lists whose form the platform does not give."""

    purpose: Purpose
    format: str
    channel: str = ""
    columns: Sequence[str] = DEFAULT
    holdout_percent: int = 10
    outcome: str = SegmentExport.Outcome.ORDERS

    @property
    def form(self) -> formats.Format:
        return formats.FORMATS[self.format]

    @property
    def channels(self) -> Sequence[str]:
        return self.form.channels or (self.channel,)


@dataclass(frozen=True)
class Preview:
    """How many of the members may be reached; the others by the reason that is told, most first. Of those who may be
    reached about `held_out` would stay out. Of more than SAMPLE members all but `members` is carried over from so many
    of them (`asked`)."""

    members: int
    asked: int
    reachable: int
    left_out: Sequence[tuple[Reason, int]]
    held_out: int
    least: int  # people that the platform wants at least
    rate: float | None  # of those who may be reached, who did what counts as success in the last fourteen days

    @property
    def is_estimate(self) -> bool:
        return self.asked < self.members

    @property
    def listed(self) -> int:
        return self.reachable - self.held_out

    @property
    def provable(self) -> float | None:
        """The least difference of rates that would show, four times of five; None where nobody is held out or nobody
        ever does it."""
        return lift.smallest_provable(self.listed, self.held_out, self.rate) if self.rate else None

    @property
    def is_small(self) -> bool:
        """So few would stand on the list that it says something of single persons."""
        return 0 < self.listed < SMALL

    @property
    def is_too_small_to_measure(self) -> bool:
        """Too few would be held out for any difference to be told from chance."""
        return not self.is_small and 0 < self.held_out < SMALL

    @property
    def is_below_least(self) -> bool:
        return 0 < self.listed < self.least


def preview(segment: Segment, wish: Wish, *, by: User) -> Preview:
    """Raises TooSlowProblem, HiddenProblem and DefinitionProblem."""
    scope = scope_of(by)
    members = audience.member_ids(Question.of_segment(segment, scope))
    asked = members[:: max(1, -(-len(members) // SAMPLE))]  # ascending: as they came to the company
    reachable, left_out = list[int](), Counter[Reason]()
    for place in range(0, len(asked), CHUNK):
        some = asked[place : place + CHUNK]
        answers = gating.ask(some, purpose=wish.purpose, form=wish.form, channels=wish.channels, scope=scope)
        reachable += [profile_id for profile_id, answer in answers.items() if answer.reason is None]
        left_out.update(answer.reason for answer in answers.values() if answer.reason is not None)
    times = len(members) / max(1, len(asked))
    return Preview(
        members=len(members),
        asked=len(asked),
        reachable=round(len(reachable) * times),
        left_out=[(reason, round(people * times)) for reason, people in left_out.most_common()],
        held_out=round(len(reachable) * times * wish.holdout_percent / 100),
        least=wish.form.least,
        rate=comparison.rate_lately(reachable, wish.outcome, scope),
    )


@transaction.atomic
def start(*, segment: Segment, wish: Wish, by: User) -> SegmentExport:
    """Begin to make a list of the segment as it is written now, in a job. The wish is audited with it.

    Raises HiddenProblem, DefinitionProblem, ArchivedProblem, and MendableError for what does not belong together.
    """
    if segment.is_archived:
        raise ArchivedProblem
    _check(wish, by)
    Question.of_segment(segment, scope_of(by))
    is_platform = wish.form.is_platform
    export: SegmentExport = SegmentExport.objects.create(
        segment=segment,
        segment_version=segment.version,
        segment_name=segment.name,
        purpose=wish.purpose,
        format=wish.format,
        channel=_channel(wish),
        columns=[] if is_platform else list(wish.columns),
        holdout_percent=wish.holdout_percent,
        outcome=wish.outcome,
        by=by,
    )
    asked = [] if is_platform else header(export.columns, export.channel)
    audit.record(
        action="segment.export",
        target=export,
        by=by,
        fields=["purpose", "format", *asked],
    )
    jobs.enqueue(JOB, export.pk)
    return export


def _channel(wish: Wish) -> str:
    """The one by which messages will come; none where the platform shows ads, whatever address it finds people by."""
    return "" if any(column.is_hashed for column in wish.form.columns) else wish.channels[0]


def _check(wish: Wish, by: User) -> None:
    if not all(wish.channels):
        raise MendableError(_("Choose the channel by which the list will be used."), field="channel")
    if not 0 <= wish.holdout_percent <= MOST_HELD_OUT:
        raise MendableError(
            _("Hold out between 0 and %(most)d percent.") % {"most": MOST_HELD_OUT}, field="holdout_percent"
        )
    if not wish.form.is_platform and not offered(by).keys() >= set(wish.columns):
        raise MendableError(_("One of the columns is not yours to export."), field="columns")
