"""`bench import`: a CSV file through mapping, normalisation and digest to touchpoints, against raw COPY."""

import csv
import io
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cdp_site.operations.bench.ingest import RawCopy
from cdp_site.operations.bench.measure import Result, Subject, throughput
from ingestion import imports, sources
from ingestion.files import importer
from ingestion.models import FileImport, InboundBatch, Source
from profiles import digest

ROWS = 20_000
VISITORS = 5_000
SLUG = "bench-visits"
COLUMNS = ("visit", "customer", "phone", "at", "product", "category", "color", "price")
MAPPING: dict[str, Any] = {
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


def run(url: str) -> list[Result]:
    """Landing alone, and landing with the digest to touchpoints; every round imports a file with new rows."""
    source = Source.objects.filter(slug=SLUG).first() or sources.create(
        name="Visits", slug=SLUG, department=None, kind=Source.Kind.OTHER, by="system:bench"
    )
    limit, visits = RawCopy(), Visits(source)
    note = f"CSV, {len(COLUMNS)} columns, {VISITORS:,} customers with phones"
    return throughput(
        limit=Subject("raw COPY into the touchpoint table with its indexes", limit.copy, prepare=limit.prepare),
        subjects=[
            Subject("import.landing", visits.land, prepare=visits.prepare, note=note),
            Subject("import.touchpoint", visits.to_profiles, prepare=visits.prepare, note=f"{note}; one process"),
        ],
        unit="rows/s",
    )


@dataclass
class Visits:
    """A system that exports visits as a file."""

    source: Source
    content: bytes = b""
    file_import: FileImport | None = field(default=None)

    def prepare(self) -> None:
        InboundBatch.objects.waiting().delete()
        self.content = _file(seed=time.time_ns())

    def land(self) -> int:
        """Upload, mapping, landing, as the job does it."""
        received = imports.receive(source=self.source, file_name="visits.csv", chunks=[self.content], by="system:bench")
        started = imports.start(file_import=received, definition=MAPPING, by="system:bench", mapping_name=SLUG)
        importer.run(str(started.pk))
        started.refresh_from_db()
        if started.rows_read != ROWS:
            raise RuntimeError(f"{started.rows_read} of {ROWS} rows were read")
        return ROWS

    def to_profiles(self) -> int:
        self.land()
        return digest.drain().messages


def _file(*, seed: int) -> bytes:
    draw = random.Random(seed)
    now = datetime.now(UTC)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for number in range(ROWS):
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
    return text.getvalue().encode()
