"""The sample company as a whole: its people one after another, what their systems send block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from cdp_site.operations.company.accounts import accounts_of
from cdp_site.operations.company.draws import modulus_for
from cdp_site.operations.company.feeds import Feeds, Message
from cdp_site.operations.company.journey import live
from cdp_site.operations.company.people import Population
from cdp_site.operations.company.story import NUMBER as STORY
from cdp_site.operations.company.story import Story
from cdp_site.operations.company.year import Year

#: People whose year is in memory at a time: their messages are put in order of time before they go on.
BLOCK = 1_000

#: A phone that lost the network sends a message again: one in so many.
RESENT_EVERY = 1_009
#: A release of the web shop forgot to name an event: one in so many. A till wrote a day that does not exist: likewise.
NAMELESS_EVERY, IMPOSSIBLE_DAY_EVERY = 6_007, 2_003

_IMPOSSIBLE_DAY = "31/02/2569 12:00"


@dataclass(slots=True)
class Counts:
    """What came out. ``touchpoints`` by kind, without what is sent again or cannot be used (``resent``, ``broken``)."""

    records: int = 0
    resent: int = 0
    broken: int = 0
    touchpoints: Counter[str] = field(default_factory=Counter)


class Company:
    """A company of so many people, everything about it decided by the arguments.

    Args:
        people: how many.
        seed: of all draws.
        end: the moment up to which its last year runs.
        touchpoints: about how many there should be in all; 20 a person unless said otherwise, at least 6.

    Examples:
        >>> from datetime import UTC, datetime
        >>> company = Company(people=50, seed=1, end=datetime(2026, 1, 1, tzinfo=UTC))
        >>> len({person for feeds in company.blocks() for _, _, person in feeds.truth})
        50
    """

    def __init__(self, *, people: int, seed: int, end: datetime, touchpoints: int | None = None) -> None:
        self.people = people
        self.seed = seed
        self.year = Year(end)
        self.mean_touchpoints = touchpoints / people if touchpoints else 20.0
        self.counts = Counts()
        self._modulus = modulus_for(people)
        self._ticket_width = len(str(people * 10))
        self._population = Population(seed=seed)

    def blocks(self, people: range | None = None) -> Iterator[Feeds]:
        """Yield what the systems send about `BLOCK` people at a time, each feed in order of time; of all people, or of
        those of these numbers."""
        self.counts = Counts()
        wanted = range(self.people) if people is None else people
        for first in range(0, len(wanted), BLOCK):
            numbers = wanted[first : first + BLOCK]
            feeds = Feeds(people=len(numbers))
            for number in numbers:
                self._live(number, feeds)
            for feed in (feeds.web, feeds.app, feeds.line, feeds.members, feeds.sales, feeds.returns, feeds.calls):
                feed.sort(key=_moment)
            self.counts.records += len(feeds.truth)
            self.counts.touchpoints += feeds.touchpoints
            self._mar(feeds)
            yield feeds

    def _live(self, number: int, feeds: Feeds) -> None:
        if number == STORY:
            Story(
                seed=self.seed,
                year=self.year,
                modulus=self._modulus,
                ticket_width=self._ticket_width,
                feeds=feeds,
            ).tell()
            return
        person = self._population.person(number)
        live(
            seed=self.seed,
            person=person,
            accounts=accounts_of(self.seed, person, self._modulus),
            year=self.year,
            mean_touchpoints=self.mean_touchpoints,
            ticket_width=self._ticket_width,
            feeds=feeds,
        )

    def _mar(self, feeds: Feeds) -> None:
        """Add what every company's systems send amiss: messages twice, without their event's name, with an odd day."""
        for feed in (feeds.web, feeds.app):
            resent = feed[RESENT_EVERY - 1 :: RESENT_EVERY]
            nameless = [(at, _nameless(message)) for at, message in feed[NAMELESS_EVERY - 1 :: NAMELESS_EVERY]]
            feed.extend(resent + nameless)
            self.counts.resent += len(resent)
            self.counts.broken += len(nameless)
        odd = [
            (at, (f"{row[0]}X", row[1], _IMPOSSIBLE_DAY, *row[3:]))
            for at, row in feeds.sales[IMPOSSIBLE_DAY_EVERY - 1 :: IMPOSSIBLE_DAY_EVERY]
        ]
        feeds.sales.extend(odd)
        self.counts.broken += len(odd)


def _nameless(message: Message) -> Message:
    """Return a track call as the faulty release sent it."""
    faulty = {key: value for key, value in message.items() if key not in {"event", "name"}}
    return faulty | {"type": "track", "messageId": f"{message['messageId']}-x"}


def _moment(entry: tuple[int, object]) -> int:
    return entry[0]
