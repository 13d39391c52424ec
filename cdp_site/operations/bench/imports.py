"""`bench import`: a CSV file of a million rows through upload, mapping and landing, and to touchpoints, against raw
COPY; its memory; and how long it takes when its job is killed three times on the way."""

import csv
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cdp_site.operations.bench import child
from cdp_site.operations.bench.ingest import RawCopy
from cdp_site.operations.bench.measure import Result, Subject, throughput
from ingestion import equation, imports, sources
from ingestion.files import importer
from ingestion.models import FileImport, InboundBatch, Source
from profiles import digest

ROWS: Final = 1_000_000
ROWS_TO_PROFILES: Final = 20_000
ROUNDS: Final = 3
KILLS: Final = 3
COPIES: Final = 10  # the limit is measured over seconds, as the import is
VISITORS: Final = 5_000
MOST_MEMORY: Final = 300 * 1024**2
SLOWER_AFTER_KILLS: Final = 1.3
SLUG: Final = "bench-visits"
BY: Final = "system:bench"
COLUMNS: Final = ("visit", "customer", "phone", "at", "product", "category", "color", "price")
MAPPING: Final[dict[str, Any]] = {
    "version": 1,
    "title": "Visits",
    "rows": "events",
    "date_order": "ymd",
    "two_digit_years": None,
    "empty": "unchanged",
    "fields": [
        {"value": "Product Viewed", "to": "event"},
        {"from": "visit", "to": "row_id"},
        {"from": "customer", "to": "record_id"},
        {"from": "phone", "to": "trait", "name": "phone"},
        {"from": "at", "to": "timestamp"},
        {"from": "product", "to": "property", "name": "product_id"},
        {"from": "category", "to": "property", "name": "category"},
        {"from": "color", "to": "property", "name": "color"},
        {"from": "price", "to": "property", "name": "price", "type": "number"},
    ],
}
# Rows without an id of their own, told apart by how often they came: what an import has to know again after a kill.
COUNTED: Final = MAPPING | {"fields": [one for one in MAPPING["fields"] if one["to"] != "row_id"]}


def run(url: str) -> list[Result]:
    """Every round imports a file with new rows, in a process of its own."""
    source = Source.objects.filter(slug=SLUG).first() or sources.create(
        name="Visits", slug=SLUG, department=None, kind=Source.Kind.OTHER, by=BY
    )
    note = f"CSV, {len(COLUMNS)} columns, {VISITORS:,} customers with phones"
    with tempfile.TemporaryDirectory() as folder:
        visits = Visits(source=source, url=url, file=Path(folder) / "visits.csv")
        limit = Copies()
        results = throughput(
            limit=Subject("raw COPY into the touchpoint table with its indexes", limit.copy, prepare=limit.prepare),
            subjects=[
                Subject(
                    "import.landing", visits.land, prepare=visits.prepare, goal=0.45, note=f"{ROWS:,} rows; {note}"
                ),
                Subject(
                    "import.touchpoint", visits.to_profiles, prepare=visits.prepare_few, note=f"{note}; one process"
                ),
            ],
            unit="rows/s",
            rounds=ROUNDS,
        )
        return [*results, visits.memory(), visits.resumption()]


class Copies(RawCopy):
    """The limit, several times over."""

    def prepare(self) -> None:
        self.prepared = []
        for _ in range(COPIES):
            super().prepare()
            self.prepared.append(self.rows)

    def copy(self) -> int:
        number = 0
        for rows in self.prepared:
            self.rows = rows
            number += super().copy()
        return number


@dataclass
class Visits:
    """A system that exports visits as a file."""

    source: Source
    url: str
    file: Path
    memories: list[int] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url, "LOG_LEVEL": "ERROR"}

    def prepare(self, rows: int = ROWS) -> None:
        InboundBatch.objects.waiting().delete()
        write_file(self.file, rows=rows, seed=time.time_ns())

    def prepare_few(self) -> None:
        self.prepare(ROWS_TO_PROFILES)

    def land(self) -> int:
        """Upload, mapping, landing, as web server and job do it."""
        done = child.measured(f"{__name__}.land", str(self.file), environment=self.environment)
        self.memories.append(done.memory)
        return int(done.value)

    def to_profiles(self) -> int:
        land(str(self.file))
        return digest.drain().messages

    def memory(self) -> Result:
        value = max(self.memories)
        return Result(
            name="import.memory",
            value=round(value / 1024**2),
            unit="MB",
            limit=MOST_MEMORY // 1024**2,
            limit_name="the greatest that is wanted",
            ratio=round(value / MOST_MEMORY, 3),
            goal=1.0,
            lower_is_better=True,
            rounds=len(self.memories),
            note=f"peak of the process that imports {ROWS:,} rows",
        )

    def resumption(self) -> Result:
        """The same file twice: undisturbed, and with the job killed at random places. Python's start counts in both;
        the watchdog's pause until it takes a dead import up does not."""
        self.prepare()
        clean = self._seconds(begun(str(self.file), COUNTED), kill_at=[])
        InboundBatch.objects.waiting().delete()
        file_import = begun(str(self.file), COUNTED)
        draw = random.Random()
        places = sorted(draw.uniform(0.1, 0.9) * file_import.size for _ in range(KILLS))
        killed = self._seconds(file_import, kill_at=places)
        if equation.of_import(file_import).received != ROWS:
            raise RuntimeError("an import that was killed lost rows or has some twice")
        return Result(
            name="import.killed",
            value=round(killed, 1),
            unit="s",
            limit=round(clean, 1),
            limit_name="undisturbed",
            ratio=round(killed / clean, 3),
            goal=SLOWER_AFTER_KILLS,
            lower_is_better=True,
            rounds=1,
            note=f"kill -9 of the job {KILLS} times over {ROWS:,} rows that are told apart by counting",
        )

    def _seconds(self, file_import: FileImport, *, kill_at: list[float]) -> float:
        places = iter(kill_at)
        place = next(places, float("inf"))
        started = time.perf_counter()
        while not file_import.is_finished:
            FileImport.objects.filter(pk=file_import.pk).update(lease_until=None)
            job = subprocess.Popen(
                child.command(importer.JOB, str(file_import.pk)),
                env=os.environ | self.environment,
                stdout=subprocess.DEVNULL,
            )
            while job.poll() is None:
                file_import.refresh_from_db(fields=["offset"])
                if file_import.offset >= place:
                    job.kill()
                    place = next(places, float("inf"))
                time.sleep(0.02)
            file_import.refresh_from_db(fields=["status"])
        return time.perf_counter() - started


def land(path: str) -> int:
    """A whole import by its job; returns its rows."""
    started = begun(path, MAPPING)
    while not started.is_finished:
        importer.run(str(started.pk))
        started.refresh_from_db()
    if started.status != FileImport.Status.LANDED or started.rows_broken:
        raise RuntimeError(f"the import ended as {started.status} after {started.rows_read} rows")
    rows: int = started.rows_read
    return rows


def begun(path: str, definition: dict[str, Any]) -> FileImport:
    source = Source.objects.get(slug=SLUG)
    received = imports.receive(source=source, file_name="visits.csv", chunks=_chunks(path), by=BY)
    return imports.start(file_import=received, definition=definition, by=BY, mapping_name=SLUG)


def _chunks(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while data := file.read(64 * 1024):  # as Django hands uploads over
            yield data


def write_file(path: Path, *, rows: int, seed: int) -> None:
    draw = random.Random(seed)
    now = datetime.now(UTC)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            customer = draw.randrange(VISITORS)
            at = now - timedelta(seconds=draw.randrange(90 * 86_400))
            writer.writerow(
                (
                    f"{seed}-{number}",
                    f"v{customer:05d}",
                    f"08{61_000_000 + customer * 7}",
                    at.isoformat(timespec="seconds"),
                    f"SKU-{draw.randrange(900):04d}",
                    "รองเท้า",
                    draw.choice(("แดง", "ขาว", "ดำ")),
                    draw.randrange(200, 9_000),
                )
            )
