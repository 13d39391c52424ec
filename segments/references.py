"""Segments that ask for segments: what each of them means, and that none asks for itself.

A condition on a segment is stored as its id. Before anybody is asked it gets what that segment asks at that moment, so
that both engines read one tree and a change of the inner segment is a change of the outer one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any as Json
from uuid import UUID

from cdp_site.core.memory import Memory
from segments.definition import nodes
from segments.definition.checked import Flaw
from segments.definition.fields import Fields
from segments.definition.parse import parse
from segments.definition.problems import DefinitionProblem, Problem, StoredProblem, problem
from segments.later import Later
from segments.models import Segment

MOST_LEVELS = 5
"""How deep segments may lie in segments; nobody follows a definition over more pages."""
MOST_CONDITIONS = 300
"""Conditions that one segment asks with all that it asks for: three definitions of the greatest size."""

Known = Mapping[str, nodes.Definition]


def resolved(definitions: Sequence[nodes.Definition]) -> list[nodes.Definition]:
    """The definitions with what the segments ask that they ask for. One query for each level of segments in segments,
    none where no definition asks for one.

    What cannot be resolved stays as it is: a segment that is gone, that this program cannot read, or that asks for
    itself (which `check` keeps from being stored).
    """
    wheres = [definition.where for definition in definitions]
    known = _read({one.segment for where in wheres for one in _asking(where) if one.where is None})
    if not known:
        return list(definitions)
    return [replace(definition, where=_group(definition.where, known, ())) for definition in definitions]


def parsed(stored: Json) -> nodes.Definition:
    """A stored definition, ready to be asked. Raises StoredProblem."""
    try:
        read = parse(stored)
    except DefinitionProblem as unread:
        raise StoredProblem(unread.problems) from unread
    (definition,) = resolved([read])
    return definition


def tried(stored: Json) -> nodes.Definition | StoredProblem:
    """The same, or why it cannot be read."""
    try:
        return parsed(stored)
    except StoredProblem as problem:
        return problem


_versions: Memory[tuple[UUID, int], nodes.Definition | None] = Memory()


def of_segments(segments: Iterable[Segment]) -> dict[Segment, nodes.Definition]:
    """The stored definitions, ready to be asked; what this program does not read is left out. What a version says never
    changes, so that it is parsed once. One query for each level of segments in segments."""
    written = {segment: found for segment in segments if (found := _of_version(segment)) is not None}
    return dict(zip(written, resolved(list(written.values())), strict=True))


def _of_version(segment: Segment) -> nodes.Definition | None:
    key = segment.pk, segment.version
    if key not in _versions:
        found = _parsed(segment.definition)
        _versions.remember({key: found})
        return found
    return _versions[key]


def is_resolved(definition: nodes.Definition) -> bool:
    """Whether it is known of all segments that it asks for, at any depth, what they ask."""
    conditions = nodes.conditions(definition.where)
    return all(one.where is not None for one in conditions if isinstance(one, nodes.SegmentCondition))


def checked(data: object, fields: Fields, segment: UUID | None) -> nodes.Definition:
    """The definition that somebody writes. Raises DefinitionProblem with all at once that `parse` and `check` find. A
    query for each level of segments in segments.

    Args:
        segment: whose definition it is to be; None for a new one, which nothing can ask for yet.
    """
    try:
        definition = parse(data, fields)
    except DefinitionProblem as problem:
        raise DefinitionProblem((*problem.problems, *_beside(problem.problems, segment, data))) from problem
    check(segment, definition)
    return definition


def check(segment: UUID | None, definition: nodes.Definition) -> None:
    """Raises DefinitionProblem when the definition would make a segment ask for itself, or lies too deep in others.
    A query for each level of segments in segments, none where it asks for none.

    Args:
        segment: whose definition it is to be; None for a new one, which nothing can ask for yet.
    """
    known = _read(_named([definition.where]))
    asking = [(at, one) for at, one in nodes.placed(definition.where) if isinstance(one, nodes.SegmentCondition)]
    problems = _problems(segment, asking, known)
    n = 0 if problems else sum(1 for _ in nodes.conditions(_group(definition.where, known, ())))
    if n > MOST_CONDITIONS:
        flaw = Flaw("", "segments-too-many-conditions", {"n": n, "limit": MOST_CONDITIONS})
        problems.append(problem("/where", flaw))
    if problems:
        raise DefinitionProblem(tuple(problems))


def _beside(told: Sequence[Problem], segment: UUID | None, data: object) -> list[Problem]:
    """What is wrong with the segments that a definition asks for which could not be parsed. Of a condition of which
    something is told already nothing is added: what it names may be hidden from its author."""
    found = _written(data.get("where") if isinstance(data, dict) else None, "/where", 1)
    places = [(place, one) for place, one in found if not any(each.place.startswith(f"{place}/") for each in told)]
    places = places[: nodes.MAX_CONDITIONS]
    return _problems(segment, places, _read({one.segment for _place, one in places}))


def _problems(
    segment: UUID | None, places: Iterable[tuple[str, nodes.SegmentCondition]], known: Known
) -> list[Problem]:
    own = None if segment is None else str(segment)
    names = Later(lambda: _names({*known, *([own] if own else [])}))
    flaws = ((place, _flaw(condition, known, own, names)) for place, condition in places)
    return [problem(place, flaw) for place, flaw in flaws if flaw is not None]


def _flaw(condition: nodes.SegmentCondition, known: Known, own: str | None, names: Mapping[str, str]) -> Flaw | None:
    """What is wrong with the way from a condition down through segments, if anything is."""
    ways: list[tuple[str, ...]] = [(condition.segment,)]
    while ways:
        way = ways.pop()
        last = way[-1]
        if last == own or last in way[:-1]:
            path = " → ".join(names.get(one, one) for one in (*((own,) if own else ()), *way))
            return Flaw("segment", "segment-cycle", {"path": path, "name": names.get(last, last)})
        if len(way) > MOST_LEVELS:
            path = " → ".join(names.get(one, one) for one in way)
            return Flaw("segment", "segments-too-deep", {"path": path, "limit": MOST_LEVELS})
        below = known.get(last)
        if below is not None:
            ways += [(*way, one) for one in sorted(_named([below.where]))]
    return None


def _written(node: Json, place: str, level: int) -> Iterator[tuple[str, nodes.SegmentCondition]]:
    """The conditions on segments of a definition that is not parsed, with their places, as far as they can be read."""
    if not isinstance(node, dict):
        return
    members = node.get("of")
    if isinstance(members, list) and level <= nodes.MAX_DEPTH:
        for n, member in enumerate(members):
            yield from _written(member, f"{place}/of/{n}", level + 1)
    elif node.get("kind") == "segment":
        try:
            yield place, nodes.SegmentCondition(node.get("segment", ""))
        except nodes.InvalidNode:
            return


def _asking(node: nodes.Node) -> Iterator[nodes.SegmentCondition]:
    for condition in nodes.own_conditions(node):
        if isinstance(condition, nodes.SegmentCondition):
            yield condition


def _named(wheres: Iterable[nodes.Node]) -> set[str]:
    return {condition.segment for where in wheres for condition in _asking(where)}


def _read(wanted: set[str]) -> Known:
    """The definitions of these segments, and of all that they ask for."""
    known: dict[str, nodes.Definition] = {}
    asked: set[str] = set()
    while missing := wanted - asked:
        asked |= missing
        rows = Segment.objects.filter(pk__in=missing).values_list("pk", "definition")
        found = {str(pk): definition for pk, stored in rows if (definition := _parsed(stored)) is not None}
        known |= found
        wanted = _named(definition.where for definition in found.values())
    return known


def _parsed(stored: Json) -> nodes.Definition | None:
    try:
        return parse(stored)
    except DefinitionProblem:
        return None


def _names(wanted: Iterable[str]) -> dict[str, str]:
    return {str(pk): name for pk, name in Segment.objects.filter(pk__in=wanted).values_list("pk", "name")}


def _group(group: nodes.Group, known: Known, above: tuple[str, ...]) -> nodes.Group:
    return replace(group, of=tuple(_node(member, known, above) for member in group.of))


def _node(node: nodes.Node, known: Known, above: tuple[str, ...]) -> nodes.Node:
    if isinstance(node, nodes.All | nodes.Any | nodes.Not):
        return _group(node, known, above)
    if isinstance(node, nodes.SegmentCondition) and node.segment in known and node.segment not in above:
        return replace(node, where=_group(known[node.segment].where, known, (*above, node.segment)))
    return node
