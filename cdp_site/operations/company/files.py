"""The sample company as files: what each system would export or send, and the truth about it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cdp_site.operations.company import feeds as columns
from cdp_site.operations.company.feeds import Feeds, Message, Row
from cdp_site.operations.company.generation import Company

#: The event API takes 500 KB a batch (Segment's limit); these stay below it with room for an envelope.
MAX_BATCH_BYTES = 480_000
MAX_BATCH_MESSAGES = 1_000


@dataclass(frozen=True, slots=True)
class Table:
    """A file that is imported with a mapping: where it comes from, how it is written."""

    name: str
    source: str
    mapping: str
    encoding: str
    header: Row


MEMBERS = Table("pos_members.csv", columns.POS, "stores-members", "tis-620", columns.POS_MEMBER_COLUMNS)
SALES = Table("pos_sales.csv", columns.POS, "stores-sales", "tis-620", columns.POS_SALE_COLUMNS)
RETURNS = Table("pos_returns.csv", columns.POS, "stores-returns", "tis-620", columns.POS_RETURN_COLUMNS)
CALLS = Table("callcentre.csv", columns.CALLS, "call-centre-tickets", "utf-8-sig", columns.CALL_COLUMNS)
CHATS = Table("line.jsonl", columns.LINE, "line-events", "utf-8", ())
_CSV_TABLES = (MEMBERS, SALES, RETURNS, CALLS)
TABLES = (MEMBERS, SALES, RETURNS, CALLS, CHATS)

WEB_FOLDER, APP_FOLDER, MAPPINGS, TRUTH, MANIFEST = "web", "app", "mappings", "truth.csv", "company.json"

_MAPPINGS = Path(__file__).parent / "mappings"


@dataclass(frozen=True, slots=True)
class Batch:
    """A JSON array of ``size`` Segment messages, as the event API lands it."""

    size: int
    raw: bytes


def batches(messages: Iterable[tuple[int, Message]]) -> Iterator[Batch]:
    """Yield the messages in order as batches that the event API takes."""
    encode = msgspec.json.Encoder().encode
    held: list[bytes] = []
    length = 2
    for _, message in messages:
        raw = encode(message)
        if held and (length + len(raw) + 1 > MAX_BATCH_BYTES or len(held) == MAX_BATCH_MESSAGES):
            yield Batch(len(held), b"[" + b",".join(held) + b"]")
            held, length = [], 2
        held.append(raw)
        length += len(raw) + 1
    if held:
        yield Batch(len(held), b"[" + b",".join(held) + b"]")


def write(company: Company, folder: Path, advance: Callable[[int], None] = lambda _people: None) -> dict[str, Any]:
    """Write the company's files into ``folder`` (made if missing) and return what `MANIFEST` says about them.

    The same people, seed, end and number of touchpoints give the same bytes. Memory is that of one block of people.

    Args:
        advance: called with the number of people done since the last call.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _copy_mappings(folder / MAPPINGS)
    with ExitStack() as stack:
        tables = TableFiles(stack, folder)
        truth = csv.writer(stack.enter_context((folder / TRUTH).open("w", encoding="utf-8", newline="")))
        truth.writerow(("source", "external_id", "person"))
        web, app = BatchFiles(folder / WEB_FOLDER), BatchFiles(folder / APP_FOLDER)
        for feeds in company.blocks():
            tables.write(feeds)
            web.write(feeds.web)
            app.write(feeds.app)
            truth.writerows(feeds.truth)
            advance(feeds.people)
    manifest = {
        "people": company.people,
        "seed": company.seed,
        "until": company.year.end_iso,
        "source_records": company.counts.records,
        "touchpoints": sum(company.counts.touchpoints.values()),
        "touchpoints_by_type": dict(sorted(company.counts.touchpoints.items())),
        "sent_twice": company.counts.resent,
        "unusable": company.counts.broken,
        "imports": [
            {
                "file": table.name,
                "source": table.source,
                "mapping": f"{MAPPINGS}/{table.mapping}.json",
                "rows": tables.rows[table.name],
            }
            for table in TABLES
        ],
        "batches": [
            {"folder": made.folder.name, "source": source, "files": made.files, "messages": made.messages}
            for source, made in ((columns.WEB, web), (columns.APP, app))
        ],
    }
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    return manifest


def mapping(name: str) -> dict[str, Any]:
    """Return one of the company's mappings, as the import takes it."""
    found: dict[str, Any] = msgspec.json.decode((_MAPPINGS / f"{name}.json").read_bytes())
    return found


def _copy_mappings(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for file in sorted(_MAPPINGS.iterdir()):
        (folder / file.name).write_bytes(file.read_bytes())


class TableFiles:
    """The open files of the systems that export tables."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.rows = dict.fromkeys((table.name for table in TABLES), 0)
        self._encode = msgspec.json.Encoder().encode
        self._chats = stack.enter_context((folder / CHATS.name).open("wb"))
        self._writers = {}
        for table in _CSV_TABLES:
            text = stack.enter_context((folder / table.name).open("w", encoding=table.encoding, newline=""))
            self._writers[table.name] = csv.writer(text)
            self._writers[table.name].writerow(table.header)

    def write(self, feeds: Feeds) -> None:
        """Append the rows of one block."""
        rows = (feeds.members, feeds.sales, feeds.returns, feeds.calls)
        for table, entries in zip(_CSV_TABLES, rows, strict=True):
            self._writers[table.name].writerows(row for _, row in entries)
            self.rows[table.name] += len(entries)
        for _, row in feeds.line:
            self._chats.write(self._encode(row) + b"\n")
        self.rows[CHATS.name] += len(feeds.line)


class BatchFiles:
    """Numbered files, each the body of one call of the event API's ``batch``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob("batch-*.json"):  # of an earlier, larger company
            left_over.unlink()
        self.files = 0
        self.messages = 0
        self.folder = folder

    def write(self, messages: Sequence[tuple[int, Message]]) -> None:
        """Write the messages of one block."""
        for batch in batches(messages):
            self.files += 1
            self.messages += batch.size
            (self.folder / f"batch-{self.files:06d}.json").write_bytes(b'{"batch":' + batch.raw + b"}")
