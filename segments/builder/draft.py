"""A definition while it is being written: posted controls → JSON that may still have gaps.

The name of each control is the JSON pointer of its value ("/where/of/0/trait"), so that the form and the definition
are the same tree and a problem's place is the control that it belongs to. `actions` has what buttons do to the tree,
`fitting` what follows from its choices.
"""

import re
from collections.abc import Iterable
from typing import Any as Json

from segments.definition import nodes
from segments.definition.nodes import OPERANDS, Operand, Operator

GROUPS = ("all", "any", "not")

# Pointers of the deepest control: four groups, a step of a sequence, a filter, a value of a list.
_LONGEST_POINTER = 3 * nodes.MAX_DEPTH + 7
_NUMBER = re.compile(r"[0-9]{1,4}")


def blank() -> dict[str, Json]:
    """The definition with which a new segment begins."""
    return {"version": nodes.VERSION, "where": {"kind": "all", "of": []}}


def read(posted: Iterable[tuple[str, object]]) -> dict[str, Json]:
    """The tree of the controls; what is no control of a definition is passed over."""
    tree: dict[str, Json] = {}
    for name, value in posted:
        keys = name.split("/")
        if name.startswith("/where/") and len(keys) <= _LONGEST_POINTER and isinstance(value, str):
            _put(tree, keys[1:], storable(value))
    where = _lists(tree.get("where", {}))
    return {"version": nodes.VERSION, "where": where if isinstance(where, dict) else {}}


def storable(text: str) -> str:
    """Without what no text of the database holds."""
    return text.replace("\x00", "")


def _put(tree: dict[str, Json], keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        below = tree.setdefault(key, {})
        if not isinstance(below, dict):
            return
        tree = below
    tree.setdefault(keys[-1], value)


def _lists(tree: Json) -> Json:
    """Objects whose keys are all numbers are lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(_NUMBER.fullmatch(key) for key in tree):
        return [_lists(tree[key]) for key in sorted(tree, key=int)]
    return {key: _lists(value) for key, value in tree.items()}


def finished(definition: dict[str, Json]) -> dict[str, Json]:
    """The definition as it would be stored: without the empty line at the end of a list of values."""
    written = _without_blanks(definition)
    return written if isinstance(written, dict) else {}


def _without_blanks(tree: Json, key: str = "") -> Json:
    if isinstance(tree, dict):
        ranged = OPERANDS.get(Operator(tree["operator"])) if tree.get("operator") in set(Operator) else None
        keep = ranged in {Operand.NUMBERS, Operand.DATES}
        return {name: part if keep and name == "value" else _without_blanks(part, name) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_without_blanks(part) for part in tree if not (key == "value" and part == "")]
    return tree
