"""Several digests at once bring records of the same new people, whom nothing but the model can join: no twins."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections

from ingestion import landing
from ingestion.models import InboundBatch, Source
from profiles import digest, rebuild
from profiles.models import LinkDecision, Profile, SourceRecord
from tests.factories.arrivals import row
from tests.factories.matching import activate
from tests.factories.people import make_source

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 8
NAMES = (("Suda", "Rakdee"), ("Anan", "Jaidee"), ("Malee", "Suksan"), ("Prasit", "Thongdee"), ("Kanya", "Boonmee"))


@pytest.fixture
def sources() -> list[Source]:
    return [make_source(f"shop{number}") for number in range(WRITERS)]


def at_once(*tasks: Callable[[], Any]) -> None:
    """Run the tasks together, each with a connection of its own; raises what any of them raised."""
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            ready.wait(timeout=20)
            task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        for future in [pool.submit(run, task) for task in tasks]:
            future.result()


def digest_one() -> None:
    while digest.step(limit_batches=1) is not None:
        pass


def all_went_well_at_once() -> bool:
    """No batch was tried twice, as after a deadlock, and none is left."""
    return not InboundBatch.objects.exclude(status="digested", attempts=1, n_quarantined=0).exists()


@pytest.mark.parametrize("order", range(3))
def test_newcomers_whom_only_the_model_can_join_have_no_twins(order: int, sources: list[Source]) -> None:
    activate()
    for number, source in enumerate(sources):
        names = NAMES[order:] + NAMES[:order] if number % 2 else NAMES[::-1]
        for day, (first, last) in enumerate(names):
            said: dict[str, Any] = {"first_name": first, "last_name": last, "birth_date": f"19{60 + len(first)}-04-01"}
            landing.land(source=source, messages_raw=[row(f"{first}-{number}", day=day, **said)], door="file")
    at_once(*[digest_one] * WRITERS)
    assert all_went_well_at_once()
    assert Profile.objects.people().count() == len(NAMES)
    assert SourceRecord.objects.count() == len(NAMES) * WRITERS
    # The first of each person is nobody's twin, every other one is joined by one link.
    assert LinkDecision.objects.filter(kind="model", action="link").count() == len(NAMES) * (WRITERS - 1)
    assert rebuild.check() == []


def test_records_that_meet_by_different_keys_at_once_have_no_twins(sources: list[Source]) -> None:
    """Everybody in a ring shares the name with one neighbour and, by another name, with the other."""
    activate()
    family = [last for _first, last in NAMES]
    for number, source in enumerate(sources):
        ends: dict[str, Any] = {
            "first_name": ["Suda", "Suda"],
            "last_name": [family[number % 5], family[(number + 1) % 5]],
        }
        messages = [row(f"r{number}", birth_date="1990-04-01", **ends)]
        landing.land(source=source, messages_raw=messages, door="file")
    at_once(*[digest_one] * WRITERS)
    digest.drain()
    assert all_went_well_at_once()
    assert Profile.objects.people().count() == 1
    assert rebuild.check() == []


def test_changes_of_records_that_are_there_end_as_if_one_had_made_them(sources: list[Source]) -> None:
    """All are strangers at first; then each is told to be the same person, by all writers at once."""
    activate()
    for number, source in enumerate(sources):
        said: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee", "birth_date": f"19{60 + number}-04-01"}
        landing.land(source=source, messages_raw=[row(f"p{number}", **said)], door="file")
    digest.drain()
    assert Profile.objects.people().count() == WRITERS
    for number, source in enumerate(sources):
        message = row(f"p{number}", day=1, birth_date="1990-04-01")
        landing.land(source=source, messages_raw=[message], door="file")
    at_once(*[digest_one] * WRITERS)
    digest.drain()
    assert all_went_well_at_once()
    assert Profile.objects.people().count() == 1
    assert rebuild.check() == []
