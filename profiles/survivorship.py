"""Which value of a trait survives into the golden record, and why. Pure: no Django.

Candidates are what the records of a profile say; what a viewer may not see is left out before choosing, so that a
department gets the best of what it may know and no hint of the rest. The winner is found by

1. a pin: a person decided;
2. of names: one with first and last name before a part of one, which says nothing against it;
3. the trust rank of the source, the lower number first;
4. of what only makes sense together: the fuller one;
5. recency by the source's clock;
6. source and record id, so that the result never depends on an order of arrival.

The parts of a name and of an address survive together from one record: a first name from here and a last name from
there is nobody's name. A part that the winning record does not know stays empty.

`segments.definition.compile` holds the same rules in SQL, and a generative test the two together.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

NAME_PARTS = ("title", "first_name", "middle_name", "last_name", "name")
ADDRESS_PARTS = ("address", "address_line2", "subdistrict", "district", "city", "province", "postcode", "country")
# Of several values of these the first is the primary one. A list of any other trait (interests) is one value.
SINGULAR = frozenset({*NAME_PARTS, *ADDRESS_PARTS, "email", "phone", "line_id", "member_id"})
_UNIT_OF = {part: unit for unit in (NAME_PARTS, ADDRESS_PARTS) for part in unit}


class Rule(StrEnum):
    """The first rule by which the winner differs from the best of the others."""

    ONLY = "only"
    PIN = "pin"
    TRUST = "trust"
    FULLER = "fuller"
    RECENCY = "recency"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record's value of a trait. A cleared trait (None, blank, an empty list) is not a candidate.

    Args:
        value: normalised; of a list of a `SINGULAR` trait the first element is the primary one.
        trust_rank: of the source; 1 is trusted most.
        observed_at: when the source stated it.
        external_id: the record's name in its source: decides between equals, whichever of them came in first.
        kind_of_data, trait_group: decide who may see it; no part of the choice.
    """

    trait: str
    value: Any
    record_id: int
    source_id: int
    trust_rank: int
    observed_at: datetime
    kind_of_data: str = ""
    trait_group: str = ""
    pinned: bool = False
    external_id: str = ""

    @property
    def primary(self) -> Any:
        """The value that stands for the candidate in the golden record."""
        return primary(self.trait, self.value)


@dataclass(frozen=True, slots=True)
class Winner:
    """The surviving value with its lineage; `losers` best first."""

    value: Any
    candidate: Candidate
    rule: Rule
    losers: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """What one record offers for traits that survive together."""

    candidates: list[Candidate] = field(default_factory=list)

    def rank(self) -> tuple[bool, bool, int, int, float, int, str, int]:
        """Ascending: the best first. Order of the criteria as in `_RULES`."""
        first = self.candidates[0]
        return (
            not any(candidate.pinned for candidate in self.candidates),
            first.trait in NAME_PARTS and not self._is_whole_name(),
            first.trust_rank,
            -len(self.candidates),
            -max(candidate.observed_at for candidate in self.candidates).timestamp(),
            first.source_id,
            first.external_id,
            first.record_id,
        )

    def _is_whole_name(self) -> bool:
        said = {candidate.trait: str(candidate.primary) for candidate in self.candidates}
        return {"first_name", "last_name"} <= said.keys() or " " in said.get("name", "")


_RULES = (Rule.PIN, Rule.FULLER, Rule.TRUST, Rule.FULLER, Rule.RECENCY, *[Rule.ORDER] * 3)


def is_value(value: Any) -> bool:
    """Whether a record's value of a trait is one; None, blank and empty lists say nothing."""
    return value is not None and value not in ("", [], {})


def primary(trait: str, value: Any) -> Any:
    """What of a record's value stands in the golden record."""
    return value[0] if isinstance(value, list) and trait in SINGULAR else value


def unit_of(trait: str) -> tuple[str, ...]:
    """The traits that survive together with `trait`, itself included."""
    return _UNIT_OF.get(trait, (trait,))


def candidates_of(
    *,
    record_id: int,
    source_id: int,
    external_id: str,
    trust_rank: int,
    attributes: Mapping[str, Any],
    times: Mapping[str, str],
    last_seen_at: datetime,
    pinned: Collection[str] = (),
    groups: Mapping[str, tuple[str, str]] | None = None,
) -> list[Candidate]:
    """The candidates of one record as it is stored.

    Args:
        times: trait → ISO time with zone; a trait without one was stated when the record was last seen.
        groups: trait → (kind of data, trait group).
    """
    known = groups or {}
    return [
        Candidate(
            trait,
            value,
            record_id,
            source_id,
            trust_rank,
            datetime.fromisoformat(times[trait]) if trait in times else last_seen_at,
            *known.get(trait, ("", "")),
            pinned=trait in pinned,
            external_id=external_id,
        )
        for trait, value in attributes.items()
        if is_value(value)
    ]


def choose(candidates: Iterable[Candidate]) -> Winner | None:
    """The winner among candidates of one trait on its own; None when there is none."""
    units = [_Unit([candidate]) for candidate in candidates if is_value(candidate.value)]
    if not units:
        return None
    (best, *others), rule = _ordered(units)
    return _winner(best.candidates[0], rule, [unit.candidates[0] for unit in others])


def golden(candidates: Iterable[Candidate]) -> dict[str, Winner]:
    """Trait → winner over all the candidates given, names and addresses each as a unit."""
    units: dict[tuple[str, ...], dict[int, _Unit]] = {}
    for candidate in candidates:
        if is_value(candidate.value):
            traits = unit_of(candidate.trait)
            units.setdefault(traits, {}).setdefault(candidate.record_id, _Unit()).candidates.append(candidate)
    winners: dict[str, Winner] = {}
    for of_record in units.values():
        (best, *others), rule = _ordered(list(of_record.values()))
        for candidate in best.candidates:
            losers = [loser for unit in others for loser in unit.candidates if loser.trait == candidate.trait]
            winners[candidate.trait] = _winner(candidate, rule, losers)
    return winners


def values(winners: Mapping[str, Winner]) -> dict[str, Any]:
    """Trait → surviving value, by trait, as `Profile.golden` holds it."""
    return {trait: winners[trait].value for trait in sorted(winners)}


def alone(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The surviving values of a profile of one record: its own, by trait."""
    return {trait: primary(trait, value) for trait, value in sorted(attributes.items()) if is_value(value)}


def _ordered(units: list[_Unit]) -> tuple[list[_Unit], Rule]:
    if len(units) == 1:
        return units, Rule.ONLY
    ranked = sorted((unit.rank(), number) for number, unit in enumerate(units))
    pairs = zip(_RULES, ranked[0][0], ranked[1][0], strict=True)
    rule = next((rule for rule, best, second in pairs if best != second), Rule.ORDER)
    return [units[number] for _, number in ranked], rule


def _winner(candidate: Candidate, rule: Rule, losers: list[Candidate]) -> Winner:
    return Winner(candidate.primary, candidate, rule, tuple(losers))
