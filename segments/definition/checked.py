"""What is valid from the moment it exists: a node that would be wrong cannot be built. No Django."""

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FIRST_DATE = dt.date(1900, 1, 1)
LAST_DATE = dt.date(2199, 12, 31)


@dataclass(frozen=True)
class Flaw:
    """One reason for which a node cannot exist.

    `field` is the JSON key that carries it ("" for the node as a whole), `code` names the rule (`parse` holds the
    message for each), `parameters` fill the message.
    """

    field: str
    code: str
    parameters: Mapping[str, object] = dataclasses.field(default_factory=dict)


class InvalidNode(ValueError):
    """A node was built from values that break its rules. Holds all of them."""

    def __init__(self, flaws: tuple[Flaw, ...]) -> None:
        super().__init__("; ".join(f"{flaw.field or 'node'}: {flaw.code}" for flaw in flaws))
        self.flaws = flaws


class Checked:
    """Raises when a subclass, just built, finds flaws in itself."""

    def __post_init__(self) -> None:
        flaws = tuple(self._flaws())
        if flaws:
            raise InvalidNode(flaws)

    def _flaws(self) -> Iterator[Flaw]:
        raise NotImplementedError


def text_flaws(key: str, value: object, longest: int, *, missing: str = "value-missing") -> Iterator[Flaw]:
    if not isinstance(value, str):
        yield Flaw(key, "text-expected")
    elif not value.strip():
        yield Flaw(key, missing)
    elif len(value) > longest:
        yield Flaw(key, "text-too-long", {"limit": longest})
    elif "\x00" in value:
        yield Flaw(key, "text-has-nul")


def date_flaws(value: object) -> Iterator[Flaw]:
    if value == "":
        yield Flaw("value", "value-missing")
    elif not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        yield Flaw("value", "date-expected")
    elif not FIRST_DATE <= value <= LAST_DATE:
        yield Flaw("value", "date-out-of-range", {"first": FIRST_DATE.isoformat(), "last": LAST_DATE.isoformat()})


def whole_flaws(key: str, value: object, first: int, last: int) -> Iterator[Flaw]:
    if value == "":
        yield Flaw(key, "value-missing")
    elif not isinstance(value, int) or isinstance(value, bool):
        yield Flaw(key, "whole-number-expected")
    elif not first <= value <= last:
        yield Flaw(key, "number-out-of-range", {"first": first, "last": last})
