"""The sample company in the database: sent, imported and digested by the doors that every system uses."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connection

from cdp_site.operations.company import files
from cdp_site.operations.company.feeds import APP, WEB, Feeds
from cdp_site.operations.company.generation import Company
from cdp_site.operations.company.organisation import BY, establish
from cdp_site.operations.programs import MANAGE
from cdp_site.operations.progress import Progress
from ingestion import imports, landing
from ingestion.files import importer
from ingestion.models import InboundBatch, Source
from profiles import digest

#: Of 1,000 messages each: about a second of work, so that the bar moves and both processes end together.
BATCHES_A_STEP = 4
_READ_BYTES = 1024 * 1024


def load(
    *,
    people: int,
    seed: int,
    progress: Progress,
    end: datetime | None = None,
    touchpoints: int | None = None,
    among: range | None = None,
    helpers: int = 1,
) -> None:
    """Put a sample company into the database: its departments and sources, then everything that its systems send.

    Can be broken off and called again with the same arguments: each message is taken once for ever.

    Args:
        end: up to when its last year runs; by default the moment at which it was first put into this database.
        touchpoints: about how many in all; 20 a person by default.
        among: the numbers of the people to put in, of a company that comes in parts; all by default.
        helpers: processes that digest beside this one.
    """
    sources = establish()
    company = Company(people=people, seed=seed, end=end or sources[WEB].created_at, touchpoints=touchpoints)
    wanted = range(people) if among is None else among
    with ExitStack() as stack:
        for _ in range(helpers):
            stack.enter_context(_digest_beside())
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="company-", dir=settings.CDP_DATA)))
        with (
            progress.step("Inventing a sample company", total=len(wanted)) as advance,
            ExitStack() as open_files,
        ):
            tables = files.TableFiles(open_files, folder)
            for feeds in company.blocks(wanted):
                _send(feeds, sources)
                tables.write(feeds)
                advance(feeds.people)
        with progress.step("Importing its files", total=len(files.TABLES)) as advance:
            for table in files.TABLES:
                if tables.rows[table.name]:  # of few touchpoints a system may have nothing to export
                    _import(table, sources[table.source], folder / table.name)
                advance(1)
        waiting = InboundBatch.objects.waiting().count()
        with progress.step("Making profiles", total=waiting) as advance:
            while left := InboundBatch.objects.waiting().count():
                advance(waiting - left)
                waiting = left
                if digest.step(limit_batches=BATCHES_A_STEP) is None:
                    time.sleep(0.1)  # a helper has the rest in hand


def _send(feeds: Feeds, sources: dict[str, Source]) -> None:
    """Land what web shop and app send, as the event API would; behind whatever is live."""
    for slug, messages in ((WEB, feeds.web), (APP, feeds.app)):
        for batch in files.batches(messages):
            landing.land(
                source=sources[slug],
                messages_raw=batch.raw,
                n_items=batch.size,
                door=InboundBatch.Door.API,
                lane=InboundBatch.Lane.BULK,
            )


def _import(table: files.Table, source: Source, path: Path) -> None:
    """Upload the file, map it, and land its rows at once instead of waiting for the job."""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(_READ_BYTES), b"")
        received = imports.receive(source=source, file_name=table.name, chunks=chunks, by=BY)
    started = imports.start(
        file_import=received, definition=files.mapping(table.mapping), by=BY, mapping_name=table.mapping
    )
    importer.run(str(started.pk))


@contextmanager
def _digest_beside() -> Iterator[None]:
    """A worker in a process of its own, which ends with the block and at the latest with this process."""
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}"))
    command = [sys.executable, MANAGE, "worker"]
    process = subprocess.Popen(
        [sys.executable, "-m", "cdp_site.operations.supervised", str(os.getpid()), *command],
        env=os.environ | {"DATABASE_URL": url},
        cwd=settings.BASE_DIR,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
