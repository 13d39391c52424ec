"""The JSON of a computed trait → its formula, and back. Reports every problem at once, each at its place.

    {"version": 2, "calculation": "sum", "property": "price", "per_channel": false,
     "where": {"kind": "any", "of": [
        {"kind": "touchpoint", "event": "Product Added", "count": {"bound": "at_least", "n": 1},
         "window": {"kind": "rolling", "n": 30, "unit": "days"}}]}}

    {"version": 2, "calculation": "sum", "property": "", "per_channel": true,
     "where": {"kind": "any", "of": [
        {"kind": "order_total", "measure": "sum", "operator": "at_least", "value": 0, "currency": "THB",
         "window": {"kind": "ever"}}]}}

`where` is a part of the language of definitions, in its version: what a condition picks is what it means there. What it
says of how often, or of how much, is left over and always written the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any as Json
from typing import Final

from django.utils.translation import gettext_lazy as _

from segments.definition import nodes
from segments.definition import parse as language
from segments.definition.checked import Flaw, InvalidNode
from segments.definition.fields import Field, Fields, FieldType
from segments.definition.problems import MESSAGES as OF_DEFINITIONS
from segments.definition.problems import DefinitionProblem, Problem, Text
from segments.definition.serialise import serialise as written
from segments.traits.formula import OF_A_PROPERTY, OF_NUMBERS, Calculation, Formula, Pick

KEYS: Final = ("version", "calculation", "property", "per_channel", "where")
ANY_NUMBER_OF_TIMES: Final = nodes.Count(nodes.Bound.AT_LEAST, 1)
ANY_AMOUNT: Final = nodes.Comparison(nodes.Operator.AT_LEAST, Decimal(0))

MESSAGES: Mapping[str, tuple[Text, Text]] = {
    "any-expected": (
        _("A computed trait takes what meets any of its conditions."),
        _("Write “any”, with the conditions in one list."),
    ),
    "pick-unknown": (
        _("Only behaviour and orders are computed with."),
        _("Remove this condition: a segment can ask for it beside the trait."),
    ),
    "too-many-picks": (_("There are more than %(limit)s conditions."), _("Write several computed traits.")),
    "orders-stand-alone": (
        _("Orders and their products are computed with alone."),
        _("Remove the other conditions, or write a trait of its own for them."),
    ),
    "calculation-not-of-orders": (
        _("Orders have no value of this kind."),
        _("Choose a number, a sum, a day; or compute with the event of an order."),
    ),
    "property-not-a-number": (
        _("“%(name)s” holds no numbers."),
        _("Choose another property, or another calculation."),
    ),
    "property-identifies": (
        _("“%(name)s” reaches one person directly and is nothing to compute with."),
        _("Choose another property."),
    ),
    "property-of-none": (_("Nothing of this has a property “%(name)s”."), _("Choose one from the list.")),
}


def parse(data: object, fields: Fields | None = None) -> Formula:
    """The formula of JSON (already decoded), in this version of the language or an older one. Raises DefinitionProblem
    with every problem found.

    With `fields`, what the viewer cannot see is unknown: exactly the same message as for what does not exist.
    """
    problems = list(_of_shape(data))
    if problems or not isinstance(data, dict):
        raise DefinitionProblem(tuple(problems))
    picks: tuple[nodes.Condition, ...] = ()
    try:
        where = language.parse({"version": data["version"], "where": data["where"]}, fields).where
        problems += _of_group(where)
        picks = where.of  # type: ignore[assignment]  # a group in it is a problem that was just noted
    except DefinitionProblem as problem:
        problems += problem.problems
    calculation, subject = Calculation(data["calculation"]), data["property"]
    problems += [_problem("", flaw) for flaw in _of_property(calculation, subject, data["where"], fields)]
    if not problems:
        try:
            return Formula(calculation, tuple(map(_plain, picks)), _used(calculation, subject), data["per_channel"])
        except InvalidNode as invalid:
            problems += [_problem("", flaw) for flaw in invalid.flaws]
    raise DefinitionProblem(tuple(problems))


def serialise(formula: Formula) -> dict[str, Json]:
    """The JSON that `parse` reads: `parse(serialise(formula)) == formula` for every formula."""
    of = written(nodes.Definition(nodes.Any(formula.picks)))
    return {
        "version": of["version"],
        "calculation": formula.calculation.value,
        "property": formula.property_name,
        "per_channel": formula.per_channel,
        "where": of["where"],
    }


def _of_shape(data: object) -> Iterator[Problem]:
    if not isinstance(data, dict):
        yield _problem("", Flaw("", "object-expected"))
        return
    missing = [key for key in KEYS if key not in data]
    yield from (_problem("", Flaw(key, "key-missing", {"key": key})) for key in missing)
    yield from (_problem("", Flaw(key, "key-unknown", {"key": key})) for key in data if key not in KEYS)
    if "calculation" in data and data["calculation"] not in list(Calculation):
        known = ", ".join(Calculation)
        yield _problem(
            "", Flaw("calculation", "choice-unknown", {"value": str(data["calculation"])[:40], "known": known})
        )
    if not isinstance(data.get("property", ""), str):
        yield _problem("", Flaw("property", "text-expected"))
    if not isinstance(data.get("per_channel", False), bool):
        yield _problem("", Flaw("per_channel", "yes-or-no-expected"))


def _of_group(where: nodes.Group) -> Iterator[Problem]:
    if not isinstance(where, nodes.Any):
        yield _problem("/where", Flaw("kind", "any-expected"))
    for place, pick in enumerate(where.of):
        if not isinstance(pick, Pick):
            yield _problem(f"/where/of/{place}", Flaw("kind", "pick-unknown"))


def _of_property(calculation: Calculation, name: str, where: object, fields: Fields | None) -> Iterator[Flaw]:
    if fields is None or calculation not in OF_A_PROPERTY or not name.strip() or _are_of(where, "order_total"):
        return
    if fields.hides(name):
        yield Flaw("property", "property-of-none", {"name": name})
        return
    if _are_of(where, "order_line"):
        found: list[Field] | None = [one for one in [fields.line_properties.get(name)] if one is not None]
    else:
        found = fields_of(name, _events(where), fields)
    if found is None:
        return
    if not found:
        yield Flaw("property", "property-of-none", {"name": name})
    elif any(one.type is FieldType.IDENTIFIER for one in found):
        yield Flaw("property", "property-identifies", {"name": name})
    elif calculation in OF_NUMBERS and not any(one.type in (FieldType.NUMBER, FieldType.ANY) for one in found):
        yield Flaw("property", "property-not-a-number", {"name": name})


def fields_of(name: str, events: Iterable[str], fields: Fields) -> list[Field] | None:
    """What the events have under the name of a property; None where they were not looked up."""
    known = [fields.events[event].properties for event in events if event in fields.events]
    if not known or None in known:
        return None
    return [properties[name] for properties in known if properties is not None and name in properties]


def named_in(definition: dict[str, Json]) -> list[Json]:
    """What a stored trait names, as the catalogue reads it: what was saved once stays valid."""
    subject = definition["property"]
    return [definition, *({"event": event, "property": subject} for event in _events(definition["where"]) if subject)]


def _are_of(where: object, kind: str) -> bool:
    return any(member.get("kind") == kind for member in _members(where))


def _events(where: object) -> list[str]:
    return [member["event"] for member in _members(where) if isinstance(member.get("event"), str)]


def _members(where: object) -> list[dict[str, Json]]:
    members = where.get("of") if isinstance(where, dict) else None
    return [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []


def _plain(pick: nodes.Condition) -> Pick:
    """The condition with what it is not asked for in the one form in which it is written."""
    if isinstance(pick, nodes.OrderLineCondition):
        return replace(pick, measure=nodes.LineMeasure.LINES, comparison=ANY_AMOUNT, currency="")
    if isinstance(pick, nodes.OrderTotalCondition):
        return replace(pick, measure=nodes.Measure.SUM, comparison=ANY_AMOUNT)
    if isinstance(pick, nodes.TouchpointCondition):
        return replace(pick, count=ANY_NUMBER_OF_TIMES)
    raise TypeError(f"{type(pick).__name__} picks nothing")


def _used(calculation: Calculation, name: str) -> str:
    return name.strip() if calculation in OF_A_PROPERTY else ""


def _problem(place: str, flaw: Flaw) -> Problem:
    text, mend = {**OF_DEFINITIONS, **MESSAGES}[flaw.code]
    return Problem(
        f"{place}/{flaw.field}" if flaw.field else place, flaw.code, text % flaw.parameters, mend % flaw.parameters
    )
