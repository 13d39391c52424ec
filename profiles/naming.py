"""What to call a customer on a page. Pure."""

from collections.abc import Mapping
from typing import Any

LONGEST_NAME = 120


def shown_name(values: Mapping[str, Any]) -> str:
    """The name out of golden values; "" when nothing names the person.

    A Thai title stands before the first name without a space (นายสมชาย ใจดี), a Latin one with it.

    >>> shown_name({"title": "นาย", "first_name": "สมชาย", "last_name": "ใจดี"})
    'นายสมชาย ใจดี'
    >>> shown_name({"title": "Mr.", "first_name": "Somchai"})
    'Mr. Somchai'
    """
    first, middle, last = (_text(values.get(part)) for part in ("first_name", "middle_name", "last_name"))
    whole = _text(values.get("name"))
    if first or last:
        name = " ".join(part for part in (first, middle, last) if part)
    else:
        name = whole or _text(values.get("display_name")) or _text(values.get("nickname"))
    title = _text(values.get("title"))
    if title and name and name != whole and not name.startswith(title):
        name = f"{title}{name}" if is_thai(title) else f"{title} {name}"
    return name[:LONGEST_NAME]


def is_thai(text: str) -> bool:
    """Whether the text begins in Thai script."""
    return bool(text) and "\u0e01" <= text[0] <= "\u0e5b"


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return value.strip() if isinstance(value, str) else ""
