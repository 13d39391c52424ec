"""What the buttons of the builder do to a definition: add, remove, copy, and move up, down, in and out."""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any as Json

from segments.builder.draft import GROUPS

_ACTION = re.compile(r"([a-z_-]+) (/where(?:/[a-z]+|/[0-9]{1,3})*)")

NEW_GROUP = "any"
"""A group made around a condition is there to give it an alternative."""


def act(definition: dict[str, Json], action: str) -> str | None:
    """Carry out a button's action, "verb place", on the definition.

    Returns the place that the reader should be at afterwards, or None for an action that has no meaning (any more).
    """
    found = _ACTION.fullmatch(action)
    if found is None:
        return None
    verb, place = found.groups()
    keys = place.split("/")[1:]
    if verb in _ADDITIONS:
        return _add(_at(definition, keys), place, *_ADDITIONS[verb])
    if keys[-1] == "without":
        return _with_or_without(verb, _at(definition, keys[:-1]), keys)
    return _move(definition, verb, keys)


def _move(definition: dict[str, Json], verb: str, keys: list[str]) -> str | None:
    """Move or remove the member of a list that the keys lead to."""
    holder = _at(definition, keys[:-1])
    if not isinstance(holder, list) or not keys[-1].isdecimal() or int(keys[-1]) >= len(holder):
        return None
    if verb in _CROSSINGS:
        return _CROSSINGS[verb](definition, keys) if keys[-2] == "of" else None
    if verb not in _MOVES:
        return None
    at = _MOVES[verb](holder, int(keys[-1]))
    siblings = _place(keys[:-1])
    return siblings if at is None else f"{siblings}/{at}"


def _at(tree: Json, keys: list[str]) -> Json:
    for key in keys:
        if isinstance(tree, dict):
            tree = tree.get(key)
        elif isinstance(tree, list) and key.isdecimal() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return None
    return tree


def _place(keys: list[str]) -> str:
    return "/" + "/".join(keys)


# ── adding ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _kind(kind: str) -> Callable[[], Json]:
    return lambda: {"kind": kind}


_ADDITIONS: Mapping[str, tuple[str, Callable[[], Json]]] = {
    **{
        f"add-{kind}": ("of", _kind(kind))
        for kind in ("attribute", "touchpoint", "sequence", "order_total", "consent", "segment", "list")
    },
    "add-group": ("of", lambda: {"kind": NEW_GROUP, "of": []}),
    "add-filter": ("filters", dict),
    "add-value": ("value", str),
    "add-source": ("sources", str),
}


def _add(target: Json, place: str, key: str, make: Callable[[], Json]) -> str | None:
    if not isinstance(target, dict):
        return None
    members = target.setdefault(key, [])
    if not isinstance(members, list):
        return None
    members.append(make())
    return f"{place}/{key}/{len(members) - 1}"


def _with_or_without(verb: str, sequence: Json, keys: list[str]) -> str | None:
    """Add the step that must not come between the others, or take it out."""
    if not isinstance(sequence, dict):
        return None
    if verb == "add":
        sequence.setdefault("without", {})
        return _place(keys)
    if verb == "remove" and sequence.pop("without", None) is not None:
        return _place(keys[:-1])
    return None


# ── within a group ───────────────────────────────────────────────────────────────────────────────────────────────────


def _remove(members: list[Json], at: int) -> None:
    del members[at]


def _copy(members: list[Json], at: int) -> int:
    members.insert(at + 1, copy.deepcopy(members[at]))
    return at + 1


def _up(members: list[Json], at: int) -> int:
    before = max(at - 1, 0)
    members[before], members[at] = members[at], members[before]
    return before


def _down(members: list[Json], at: int) -> int:
    behind = min(at + 1, len(members) - 1)
    members[behind], members[at] = members[at], members[behind]
    return behind


_MOVES: Mapping[str, Callable[[list[Json], int], int | None]] = {
    "remove": _remove,
    "copy": _copy,
    "up": _up,
    "down": _down,
}


# ── from group to group ──────────────────────────────────────────────────────────────────────────────────────────────


def _into(definition: dict[str, Json], keys: list[str]) -> str:
    """Into the group before it, else to the beginning of the one behind it, else into a new one of its own."""
    siblings, at = _at(definition, keys[:-1]), int(keys[-1])
    for other in (at - 1, at + 1):
        members = _members(siblings[other]) if 0 <= other < len(siblings) else None
        if members is not None:
            moved = siblings.pop(at)
            there = len(members) if other < at else 0
            members.insert(there, moved)
            return _place([*keys[:-1], str(min(other, at)), "of", str(there)])
    siblings[at] = {"kind": NEW_GROUP, "of": [siblings[at]]}
    return _place([*keys, "of", "0"])


def _out(definition: dict[str, Json], keys: list[str]) -> str | None:
    """Behind the group that it is in; a group that is left empty goes."""
    if len(keys) < 5:  # where/of/n/of/m: what is in the outermost group has no way out
        return None
    group, at = _at(definition, keys[:-2]), int(keys[-1])
    siblings, of_group = _at(definition, keys[:-3]), int(keys[-3])
    members = _members(group)
    if members is None or not isinstance(siblings, list):
        return None
    moved = members.pop(at)
    there = of_group + 1
    if not members:
        del siblings[of_group]
        there = of_group
    siblings.insert(there, moved)
    return _place([*keys[:-3], str(there)])


_CROSSINGS: Mapping[str, Callable[[dict[str, Json], list[str]], str | None]] = {"in": _into, "out": _out}


def _members(node: Json) -> list[Json] | None:
    """What a group holds; None for what is no group."""
    if not isinstance(node, dict) or node.get("kind") not in GROUPS:
        return None
    members = node.setdefault("of", [])
    return members if isinstance(members, list) else None
