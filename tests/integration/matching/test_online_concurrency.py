"""Several digests at once bring records of the same new people, whom nothing but the model can join: no twins."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
from tests.waiting import wait_for

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


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND NOT granted AND d.datname = current_database())"
        )
        return bool(cursor.fetchone()[0])


SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}
OTHER_BIRTH: dict[str, Any] = {"birth_date": "1971-12-24"}
# What two writers bring at once, after what was there: newcomers; one of whom was there; both of whom were.
NAMESAKE = row("c", **SUDA, birth_date="1950-01-31")  # so that the words of the name are known: they are locked, too
MEETINGS: dict[str, tuple[list[Any], Any, Any]] = {
    "both are new": ([], row("a", **SUDA, **BORN), row("b", **SUDA, **BORN)),
    "one is new": ([row("a", **SUDA, **OTHER_BIRTH)], row("a", day=1, **BORN), row("b", **SUDA, **BORN)),
    "both change": (
        [row("a", **SUDA, **OTHER_BIRTH), row("b", **SUDA)],
        row("a", day=1, **BORN),
        row("b", day=1, **BORN),
    ),
    "one becomes another": (
        [row("a", **SUDA, **BORN)],
        row("a", day=1, birth_date="1950-01-31"),
        row("b", **SUDA, **BORN),
    ),
}


@pytest.mark.parametrize("meeting", MEETINGS)
def test_who_comes_later_waits_for_who_has_not_committed(
    meeting: str, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    activate()
    there, first, second = MEETINGS[meeting]
    here = {"a": sources[0], "b": sources[1], "c": sources[2]}
    for message in (NAMESAKE, *there):
        landing.land(source=here[message["cdp"]["record"]["external_id"]], messages_raw=[message], door="file")
    digest.drain()
    for source, message in ((sources[0], first), (sources[1], second)):
        landing.land(source=source, messages_raw=[message], door="file")
    later: list[Future[None]] = []
    waited: list[bool] = []
    settle = landing.settle_all

    def let_the_other_come(tallies: Any) -> Any:
        """The first is about to commit: start the second, and go on when it waits, or did not have to."""
        if not later:
            later.append(pool.submit(finish))
            wait_for(lambda: later[0].done() or waits_for_a_lock())
            waited.append(not later[0].done())
        return settle(tallies)

    def finish() -> None:
        try:
            digest.step(limit_batches=1)
        finally:
            connections.close_all()

    monkeypatch.setattr(landing, "settle_all", let_the_other_come)
    with ThreadPoolExecutor(1) as pool:
        digest.step(limit_batches=1)
        later[0].result()
    assert waited == [True]
    digest.drain()
    assert all_went_well_at_once()
    # The first two, or, when the first has become the namesake, these two; and who is left.
    assert Profile.objects.people().count() == 2
    assert rebuild.check() == []


def pairs_of_writers() -> Iterator[tuple[int, int]]:
    yield from itertools.permutations(range(WRITERS), 2)


def test_two_records_of_each_of_many_people_have_no_twins(sources: list[Source]) -> None:
    """Nobody comes a third time to bring twins together."""
    activate()
    first_names = ("Suda", "Anan", "Malee", "Prasit", "Kanya", "Somchai", "Wanida")
    last_names = ("Rakdee", "Jaidee", "Suksan", "Thongdee", "Boonmee", "Srisuk", "Chaiyo", "Meesuk")
    people = list(itertools.product(first_names, last_names))
    for number, ((first, last), writers) in enumerate(zip(people, pairs_of_writers(), strict=True)):
        for writer in writers:
            said = row(f"{number}-{writer}", first_name=first, last_name=last, birth_date="1990-04-01")
            landing.land(source=sources[writer], messages_raw=[said], door="file")
    at_once(*[digest_one] * WRITERS)
    assert all_went_well_at_once()
    assert Profile.objects.people().count() == len(people)
    assert rebuild.check() == []


@pytest.mark.parametrize("order", range(2))
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
