"""Mappings that ship with the product: one JSON file each, named by its stem."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from django.utils.translation import get_language


@cache
def load() -> Mapping[str, dict[str, Any]]:
    """Name → definition with "title" and "title_th", in the order of names."""
    files = sorted(
        (file for file in resources.files(__name__).iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    return {file.name.removesuffix(".json"): json.loads(file.read_text("utf-8")) for file in files}


def definition(name: str) -> dict[str, Any] | None:
    """The definition of a preset, as it is stored with an import; None when there is none of this name."""
    preset = load().get(name)
    return {key: value for key, value in preset.items() if not key.startswith("title")} if preset else None


def title(name: str) -> str:
    """How a preset is called in the reader's language."""
    preset = load()[name]
    return str(preset["title_th"] if get_language() == "th" else preset["title"])
