"""The audit as a file: rows with their seals, so that whoever has the file can check the links without the platform.

commitment = SHA-256(salt ‖ row), chain_hash = SHA-256(chain_hash before ‖ commitment): `core.audit.canonical` says what
the row's bytes are.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from django.db import transaction

from cdp_site.core import audit
from cdp_site.core.models import AuditEvent, AuditSeal, User
from consent import trail

AT_ONCE: Final = 2000
COLUMNS: Final = ("id", "at", "actor", "action", "target_type", "target_id", "fields")
SEAL: Final = ("sequence", "salt", "commitment", "chain_hash")
# A spreadsheet that opens the file takes a cell that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Format:
    extension: str
    content_type: str
    write: Callable[[Iterable[Row]], Iterator[bytes]]


@transaction.atomic
def start(*, filters: Mapping[str, Any], chosen: Format, by: User) -> Iterator[Row]:
    """Note in the audit that the rows are taken, with the names of the filters; returns them, the oldest first. The row
    of the taking itself is not among them."""
    event = audit.record(
        action="audit.export", target=("core.AuditEvent", chosen.extension), by=by, fields=sorted(filters)
    )
    return _rows(filters, before=event.pk)


def _rows(filters: Mapping[str, Any], *, before: int) -> Iterator[Row]:
    """Two queries for each portion."""
    last = 0
    while True:
        events = list(trail.matching(**filters).filter(pk__gt=last, pk__lt=before).order_by("pk")[:AT_ONCE])
        if not events:
            return
        last = events[-1].pk
        seals = {seal.event_id: seal for seal in AuditSeal.objects.filter(event_id__in=[event.pk for event in events])}
        for event in events:
            yield _row(event, seals.get(event.pk))


def _row(event: AuditEvent, seal: AuditSeal | None) -> Row:
    row = {name: getattr(event, name) for name in COLUMNS} | {"at": event.at.isoformat()}
    hashes = {name: bytes(getattr(seal, name)).hex() for name in SEAL[1:]} if seal else {}
    return row | {"seal": {"sequence": seal.sequence, **hashes} if seal else None}


def _as_csv(rows: Iterable[Row]) -> Iterator[bytes]:
    yield _line([*COLUMNS, *SEAL])
    for portion in _portions(rows):
        yield b"".join(
            _line(
                [
                    *(" ".join(row[name]) if name == "fields" else row[name] for name in COLUMNS),
                    *((row["seal"] or {}).get(name, "") for name in SEAL),
                ]
            )
            for row in portion
        )


def _line(cells: Iterable[Any]) -> bytes:
    written = io.StringIO()
    texts = [str(cell) for cell in cells]
    csv.writer(written).writerow([f"'{text}" if text.startswith(_FORMULA) else text for text in texts])
    return written.getvalue().encode()


def _as_json(rows: Iterable[Row]) -> Iterator[bytes]:
    """One object with the rows as a list."""
    yield b'{"type": "audit", "version": 1, "rows": ['
    comma = b"\n"
    for portion in _portions(rows):
        yield comma + b",\n".join(json.dumps(row, ensure_ascii=False).encode() for row in portion)
        comma = b",\n"
    yield b"\n]}\n"


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """So many rows at once as are read at once: a file goes out in few pieces."""
    left = iter(rows)
    while portion := list(islice(left, AT_ONCE)):
        yield portion


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format("csv", "text/csv; charset=utf-8", _as_csv),
    "json": Format("json", "application/json", _as_json),
}
