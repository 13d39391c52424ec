"""How many people of a definition could be reached, by channel, and why the others could not: the gate's answers for
some of them, carried over to all.

Nothing is used here, so nothing is logged: the numbers say what an export would bring.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cdp_site.core.errors import Text
from consent import gate
from consent.models import Channel, Purpose
from consent.reasons import Reason
from segments.audience import Question
from segments.estimate import estimate, some_members
from segments.intervals import Range, of_sample

ASKED = 2_000
"""Members whom the gate is asked about, one statement a channel: ± 2.2 % of the members at worst."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """People who cannot be reached by a channel, and the one reason that is told of each."""

    reason: Reason
    people: Range

    @property
    def text(self) -> Text:
        return self.reason.text


@dataclass(frozen=True, slots=True)
class ChannelReach:
    """`percent` is of the members."""

    channel: Channel
    people: Range
    percent: float
    left_out: Sequence[LeftOut]

    @property
    def label(self) -> Text:
        return self.channel.label


@dataclass(frozen=True, slots=True)
class Reach:
    """`members` of the definition, and how many of them each channel reaches for the purpose."""

    purpose: Purpose
    members: Range
    channels: Sequence[ChannelReach]


def purposes() -> list[Purpose]:
    """Those in use."""
    return list(Purpose.objects.filter(is_active=True))


def chosen(offered: Sequence[Purpose], slug: str) -> Purpose | None:
    """The one of this short name, else the first that people are asked for, else the first of all."""
    asked = [one for one in offered if one.basis == Purpose.Basis.CONSENT]
    return next((one for one in offered if one.slug == slug), next(iter([*asked, *offered]), None))


def reach(question: Question, purpose: Purpose) -> Reach:
    """Exact for up to `ASKED` members. Raises TooSlowProblem. A statement for each channel, two for post, beside those
    that find the members."""
    asked = some_members(question, ASKED)
    members = Range.exact(len(asked)) if len(asked) < ASKED else estimate(question).members
    return Reach(purpose, members, [_by(channel, asked, members, purpose, question) for channel in Channel])


def _by(channel: Channel, asked: Sequence[int], members: Range, purpose: Purpose, question: Question) -> ChannelReach:
    passage = gate.reach(asked, purpose=purpose, channel=channel, scope=question.scope)
    met = passage.people + passage.left_out.total()
    total = max(members.value, met)  # a sample may hold more of them than were estimated

    def of_all(people: int) -> Range:
        return of_sample(people, met, total, part=met / total if total else 1.0)

    left_out = [LeftOut(reason, of_all(n)) for reason, n in passage.left_out.most_common()]
    return ChannelReach(channel, of_all(passage.people), 100 * passage.people / met if met else 0.0, left_out)
