"""Paths into JSON lines: "traits.phone", "FEATURES[].NAME_FULL". Pure."""

from typing import Any

Path = tuple[tuple[str, int], ...]  # key, and how many lists lie under it


def parse(text: str) -> Path:
    parts = []
    for part in text.split("."):
        key = part.rstrip("[]")
        parts.append((key, (len(part) - len(key)) // 2))
    return tuple(parts)


def walk(value: Any, path: Path) -> list[Any]:
    """All values that the path leads to, in order; empty when it leads nowhere."""
    found = [value]
    for key, lists in path:
        found = [inner[key] for inner in found if isinstance(inner, dict) and key in inner]
        for _ in range(lists):
            found = [inner for outer in found if isinstance(outer, list) for inner in outer]
    return found
