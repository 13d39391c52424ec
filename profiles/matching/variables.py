"""What dedupe compares, field by field. Pure: no Django.

dedupe takes one or two seconds to load: only `variables` loads it.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from profiles.matching.keys import RULES, keys_of
from profiles.matching.likeness import COMPARISONS, Comparison
from profiles.matching.matcher import Comparable

if TYPE_CHECKING:
    from dedupe.predicates import CompoundPredicate
    from dedupe.variables.base import CustomType

# The variable that a rule's predicate hangs on. Which one makes no difference: a rule looks at the whole record.
_RULES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "given": ("given", "given+end", "given+initial", "given+born", "given+year", "given+postcode", "given+place"),
    "family": ("family", "family+end", "family+initial", "family+born", "family+year", "family+postcode"),
    "names": ("name", "called", "sounds"),
    "birth_dates": ("born", "born+initial", "born+postcode"),
    "phones": ("phone", "phone7"),
    "emails": ("email", "mailbox"),
    "ids": ("id",),
    "addresses": ("street",),
}


class RulePredicate:
    """A rule of `keys.RULES` as dedupe's learner takes one: a record's keys, told apart and stored by the rule's name.

    It looks at the whole record, where dedupe's own look at one field.
    """

    type = "Rule"

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.__name__ = rule

    def __call__(self, record: Comparable, **_target: bool) -> frozenset[str]:
        return keys_of(self.rule, record)

    def __iter__(self) -> Iterator["RulePredicate"]:
        yield self

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return f"{self.type}: {self.rule}"

    def __hash__(self) -> int:
        return hash(repr(self))

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    def __add__(self, other: Any) -> "CompoundPredicate":
        from dedupe.predicates import CompoundPredicate

        return CompoundPredicate((self, *other))


class Likeness:
    """A comparison as dedupe calls one: a number, NaN where the values cannot be compared and tell nothing."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self.__name__ = comparison.name

    def __call__(self, a: Any, b: Any) -> float:
        likeness = self.comparison.compare(a, b)
        return float("nan") if likeness is None else likeness


def variables() -> list["CustomType"]:
    """dedupe's variables, one a comparison and in their order: a number from 0 to 1 and whether it is known."""
    from dedupe.predicates import Predicate
    from dedupe.variables.base import CustomType

    Predicate.register(RulePredicate)
    found = []
    for comparison in COMPARISONS:
        variable = CustomType(comparison.field, Likeness(comparison), name=comparison.name, has_missing=True)
        # Without dedupe's rule that a value exists: its one block would hold everybody.
        variable.predicates = [cast("Predicate", predicate(rule)) for rule in _RULES_OF.get(comparison.name, ())]
        found.append(variable)
    return found


def predicate(rule: str) -> RulePredicate:
    """The predicate of a rule, by the name under which it is stored. Raises KeyError when there is no such rule."""
    if rule not in RULES:
        raise KeyError(rule)
    return RulePredicate(rule)
