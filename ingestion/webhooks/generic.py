"""Signed JSON of any system as our messages, by the language of file mappings. Pure.

What cannot be translated goes on with the reason why: the digest quarantines it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from ingestion.files import mapping, paths
from ingestion.files.rows import RowError, RowReader, Seal
from ingestion.webhooks.reading import Reading, Unreadable, held_back, text


@dataclass(frozen=True, slots=True)
class Form:
    """Where things are in the body: `list_path` leads to the list of rows ("data.items"; empty: the body is one row, or
    a list of them), `id_path` to a row's own id within it (empty: equal bodies are one report)."""

    definition: Mapping[str, Any]
    list_path: str = ""
    id_path: str = ""


def read(body: Any, raw: bytes, *, form: Form, zone: tzinfo, seal: Seal) -> Reading:
    """One message a row. Raises Unreadable when there are no rows."""
    rows = _rows(body, form.list_path)
    seen: dict[bytes, int] = {}

    def ordinal(digest: bytes) -> int:
        seen[digest] = seen.get(digest, -1) + 1
        return seen[digest]

    reader = RowReader(mapping.parse(form.definition), columns=None, zone=zone, ordinal=ordinal, seal=seal)
    of_body = hashlib.sha256(raw).hexdigest()[:40]
    return Reading(
        messages=tuple(
            _message(reader, row, place, _message_id(row, form.id_path, f"{of_body}:{place}"))
            for place, row in enumerate(rows)
        )
    )


def _rows(body: Any, list_path: str) -> list[Any]:
    if not list_path:
        return body if isinstance(body, list) else [body]
    found = paths.walk(body, paths.parse(list_path))
    if not found:
        raise Unreadable(list_path, "expected a list")
    return [row for one in found for row in (one if isinstance(one, list) else [one])]


def _message_id(row: Any, id_path: str, otherwise: str) -> str:
    found = paths.walk(row, paths.parse(id_path)) if id_path else []
    named = text(found[0]) if found else ""
    if len(named) > 80:
        named = hashlib.sha256(named.encode()).hexdigest()
    return f"hook:{named or otherwise}"


def _message(reader: RowReader, row: Any, place: int, message_id: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        return held_back(row, Unreadable(f"[{place}]", "expected a JSON object"), message_id)
    try:
        message = reader.message(row, place)
    except RowError as error:
        return held_back(row, Unreadable(error.column or f"[{place}]", error.problem.value), message_id)
    return message | {"messageId": message_id}
