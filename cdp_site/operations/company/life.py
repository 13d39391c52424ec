"""What is true of a person at a moment of the year."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from cdp_site.operations.company.feeds import Feeds
from cdp_site.operations.company.people import LAST_DAY, Address, Name, Person
from cdp_site.operations.company.year import DAY, Year


@dataclass(slots=True)
class Life:
    """A person in the company's year, with the generator that decides what they do and the feeds that tell of it."""

    person: Person
    year: Year
    rng: Random
    feeds: Feeds
    #: (moment, order id) of their orders, for calls about them.
    orders: list[tuple[int, str]]

    @property
    def first_day(self) -> int:
        """The first day of the year on which the person is a customer."""
        return max(0, self.person.joined_day)

    @property
    def last_day(self) -> int:
        """The last day on which the person is seen."""
        return min(LAST_DAY, max(self.person.left_day, self.first_day))

    @property
    def is_new(self) -> bool:
        """Whether the person became a customer during the year."""
        return self.person.joined_day >= 0

    def changed(self, moment: int) -> bool:
        """Return whether what changes in the person's life has changed by then."""
        return self.person.change is not None and moment >= self.person.change.day * DAY

    def surname(self, moment: int) -> Name:
        """Return the surname at a moment."""
        change = self.person.change
        return change.surname if change and change.surname and self.changed(moment) else self.person.surname

    def phone(self, moment: int) -> str:
        """Return the phone at a moment."""
        change = self.person.change
        return change.phone if change and change.phone and self.changed(moment) else self.person.phone

    def address(self, moment: int) -> Address:
        """Return the home at a moment."""
        change = self.person.change
        return change.address if change and change.address and self.changed(moment) else self.person.address

    def is_over(self, moment: int) -> bool:
        """Return whether a moment lies beyond the year's end: what would happen then has not happened yet."""
        return moment >= self.year.end
