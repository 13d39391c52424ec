"""Mappings that ship with the product: one JSON file each, named by its stem.

Exports differ by language and year: where a mapping has a column, a preset may have a list of names, of which the file
has one; and a field or step that is `optional` is left out where the file has none of them.
"""

import json
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from django.utils.translation import get_language

LEAST_COLUMNS: Final = 3  # that a file must have in common with a preset to be taken for one of its kind
_OWN: Final = ("title", "title_th")


@cache
def load() -> Mapping[str, dict[str, Any]]:
    """Name → definition with "title" and "title_th", in the order of names."""
    files = sorted(
        (file for file in resources.files(__name__).iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    return {file.name.removesuffix(".json"): json.loads(file.read_text("utf-8")) for file in files}


def definition(name: str, columns: Collection[str] = ()) -> dict[str, Any] | None:
    """The definition of a preset, as it is stored with an import, for a file of these columns (none: in its first
    spelling, with all fields); None when there is none of this name."""
    preset = load().get(name)
    if preset is None:
        return None
    fields = [_spelled(one, columns) for one in preset["fields"] if not columns or _is_wanted(one, columns)]
    return {**{key: value for key, value in preset.items() if key not in _OWN}, "fields": fields}


def fitting(columns: Collection[str]) -> str | None:
    """The preset that a file of these columns was most likely made for: all that it needs is there, and more of it
    than of any other. None when the file is of no known kind."""
    known = set(columns)
    best, most = None, LEAST_COLUMNS - 1
    for name, preset in load().items():
        named = [one for one in preset["fields"] if "from" in one]
        found = {column for one in named for column in _names(one["from"]) if column in known}
        has_all = all(known.intersection(_names(one["from"])) for one in named if not one.get("optional"))
        if has_all and len(found) > most:
            best, most = name, len(found)
    return best


def _names(stated: str | list[str]) -> list[str]:
    return stated if isinstance(stated, list) else [stated]


def _is_wanted(one: Mapping[str, Any], columns: Collection[str]) -> bool:
    return not one.get("optional") or any(name in columns for name in _names(one["from"]))


def _spelled(one: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any]:
    """The field with each column as the file calls it."""

    def spelled(stated: str | list[str]) -> str:
        names = _names(stated)
        return next((name for name in names if name in columns), names[0])

    field = {key: value for key, value in one.items() if key != "optional"}
    if "from" in field:
        field["from"] = spelled(field["from"])
    if "steps" in field:
        field["steps"] = [_step(step, spelled) for step in field["steps"] if _step_is_wanted(step, columns)]
    return field


def _step(step: Mapping[str, Any], spelled: Callable[[str | list[str]], str]) -> dict[str, Any]:
    kept = {key: value for key, value in step.items() if key != "optional"}
    return {**kept, "column": spelled(step["column"])} if "column" in step else kept


def _step_is_wanted(step: Mapping[str, Any], columns: Collection[str]) -> bool:
    return not (columns and step.get("optional")) or any(name in columns for name in _names(step["column"]))


def title(name: str) -> str:
    """How a preset is called in the reader's language."""
    preset = load()[name]
    return str(preset["title_th"] if get_language() == "th" else preset["title"])
