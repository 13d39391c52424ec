"""Definitions of older versions, as this version writes them.

A version is immutable once it was stored (`SegmentVersion`), and may be shown, compared and restored years later. Each
version knows the way to the next one; nothing else in the product knows that there ever was another.
"""

from collections.abc import Callable, Mapping
from typing import Any as Json

from segments.definition.nodes import VERSION


def upgraded(data: object) -> object:
    """A stored definition in the words of `VERSION`; what is no definition of a known version stays as it is."""
    while isinstance(data, dict) and _version(data) in _STEPS:
        data = _STEPS[_version(data)](data)
    return data


def _version(data: dict[str, Json]) -> int:
    found = data.get("version")
    return found if isinstance(found, int) and not isinstance(found, bool) else VERSION


def _from_1(data: dict[str, Json]) -> dict[str, Json]:
    """Version 2 brought new conditions, and sources to conditions on touchpoints: all that 1 says means the same."""
    return {**data, "version": 2}


_STEPS: Mapping[int, Callable[[dict[str, Json]], dict[str, Json]]] = {1: _from_1}
