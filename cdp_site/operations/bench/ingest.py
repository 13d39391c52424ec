"""`bench ingest`: HTTP batches of 100 to a committed landing and to touchpoints on profiles, against raw COPY; single
events against a view that does nothing; how soon an event is on its profile; what poison costs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection

from cdp_site.operations import programs
from cdp_site.operations.bench import lag, traffic
from cdp_site.operations.bench.client import Client
from cdp_site.operations.bench.measure import Result, Subject, throughput
from cdp_site.operations.bench.serving import PausedWorkers, web_server
from cdp_site.operations.company import feeds
from ingestion import keys
from ingestion.models import InboundBatch, QuarantinedItem, Source
from profiles import digest

# 60,000 events a round: about two seconds of the limit and eight of the digest, so that neither a checkpoint nor the
# last step, in which one worker waits for the other, decides a round.
BATCHES_A_ROUND = 600
EVENTS_A_ROUND = BATCHES_A_ROUND * traffic.BATCH
SINGLES_A_ROUND = 2_000
LOOK_EVERY = 0.05


def run(url: str) -> list[Result]:
    """All figures on the prepared database at `url`; the workers run beside the web server, on the same processors.
    Every event of every round is new."""
    source = Source.objects.get(slug=feeds.WEB)
    _row, key = keys.make(source=source, by="system:bench")
    with web_server(url) as port, PausedWorkers(url) as workers, Client(port=port, write_key=key) as client:
        shop = Shop(source_id=source.pk, client=client, workers=workers)
        return [
            *_against_copy(shop),
            *_against_nothing(shop),
            *_against_clean_traffic(shop),
            lag.timeline(source_id=source.pk, client=client, workers=workers),
        ]


def _against_copy(shop: "Shop") -> list[Result]:
    limit = RawCopy()
    workers = len(programs.worker_names())
    return throughput(
        limit=Subject("raw COPY into the touchpoint table with its indexes", limit.copy, prepare=limit.prepare),
        subjects=[
            Subject(
                "ingest.landing",
                shop.land,
                prepare=shop.prepare,
                goal=0.35,
                note=f"HTTP batches of {traffic.BATCH}, answered after the commit",
            ),
            Subject(
                "ingest.touchpoint",
                shop.to_profiles,
                prepare=shop.prepare,
                goal=0.25,
                note=f"with {workers} digest workers; mix: {traffic.MIX_TEXT}",
            ),
            Subject("ingest.digest", shop.digest, prepare=shop.land_before, note="from the landing on, one process"),
        ],
        unit="events/s",
    )


def _against_nothing(shop: "Shop") -> list[Result]:
    return throughput(
        limit=Subject("a view that does nothing, on the same server", shop.do_nothing, prepare=shop.prepare_singles),
        subjects=[
            Subject(
                "ingest.single",
                shop.land_singles,
                prepare=shop.prepare_singles,
                goal=0.2,
                note="HTTP batches of one event, answered after the commit",
            )
        ],
        unit="requests/s",
    )


def _against_clean_traffic(shop: "Shop") -> list[Result]:
    return throughput(
        limit=Subject("the same traffic without poison", shop.digest, prepare=shop.land_before),
        subjects=[
            Subject(
                "ingest.poison",
                shop.digest_poisoned,
                prepare=partial(shop.land_before, poison=traffic.unusable),
                goal=0.95,
                note="1 % is quarantined when it is read; digest, one process",
            ),
        ],
        unit="events/s",
    )


@dataclass
class Shop:
    """A web shop that posts, and the ways in which its events are followed."""

    source_id: int
    client: Client
    workers: PausedWorkers
    bodies: list[bytes] = field(default_factory=list)

    def prepare(self, *, poison: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        """Nothing waits, and new events are ready to be posted."""
        InboundBatch.objects.waiting().delete()
        self.bodies = traffic.batches(
            source_id=self.source_id, batches=BATCHES_A_ROUND, seed=time.time_ns(), poison=poison
        )

    def land(self) -> int:
        self.client.post(self.bodies)
        return EVENTS_A_ROUND

    def land_before(self, *, poison: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        self.prepare(poison=poison)
        self.land()

    def digest(self) -> int:
        return digest.drain().messages

    def digest_poisoned(self) -> int:
        before = QuarantinedItem.objects.count()
        messages = digest.drain().messages
        if QuarantinedItem.objects.count() == before:
            raise RuntimeError("the poison harmed nobody")
        return messages

    def to_profiles(self) -> int:
        with self.workers.at_work():
            self.client.post(self.bodies)
            while InboundBatch.objects.waiting().exists():
                time.sleep(LOOK_EVERY)
        return EVENTS_A_ROUND

    def prepare_singles(self) -> None:
        InboundBatch.objects.waiting().delete()
        self.bodies = traffic.batches(source_id=self.source_id, batches=SINGLES_A_ROUND, seed=time.time_ns(), size=1)

    def land_singles(self) -> int:
        return self.client.post(self.bodies)

    def do_nothing(self) -> int:
        return self.client.post(self.bodies, path="/nothing")


_SAMPLE = """
COPY (SELECT gen_random_uuid(), occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
             type_id, source_id, properties
        FROM profiles_touchpoint LIMIT %s) TO STDOUT
"""
_COPY = """
COPY bench_touchpoint (id, occurred_at, received_at, original_at, sent_at, profile_id, record_id, order_id,
                       type_id, source_id, properties) FROM STDIN
"""


class RawCopy:
    """The limit: COPY into a table with the same columns, rows and indexes as the touchpoints'."""

    def __init__(self) -> None:
        self.rows = b""
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS bench_touchpoint")
            cursor.execute("CREATE TABLE bench_touchpoint (LIKE profiles_touchpoint INCLUDING ALL)")
            cursor.execute("INSERT INTO bench_touchpoint SELECT * FROM profiles_touchpoint")
            cursor.execute("ANALYZE bench_touchpoint")

    def prepare(self) -> None:
        """Rows of real touchpoints under new ids, as text."""
        with connection.cursor() as cursor, cursor.copy(_SAMPLE, [EVENTS_A_ROUND]) as copy:
            self.rows = b"".join(bytes(chunk) for chunk in copy)

    def copy(self) -> int:
        with connection.cursor() as cursor:
            with cursor.copy(_COPY) as copy:
                copy.write(self.rows)
            return int(cursor.rowcount)
