"""A run over what changed collects the records in its job: in portions, losing none, however it ends."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.matching import online, runs
from profiles.models import MatchRun, RunRecord, SourceRecord, UnmatchedChange
from tests.factories.arrivals import arrive, row
from tests.factories.matching import activate

pytestmark = pytest.mark.django_db

NAMES = [f"p{number}" for number in range(1, 6)]


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHANGES_AT_ONCE", 2)


@pytest.fixture
def changed(pos: Source) -> list[int]:
    """Five records that wait for the next run, lowest first; two are one person."""
    people: dict[str, Any] = {name: {"first_name": "Suda", "last_name": f"Rak{name}"} for name in NAMES}
    people["p5"] = people["p1"] = {"first_name": "Suda", "last_name": "Rakdee"}
    arrive(pos, *(row(name, **traits) for name, traits in people.items()))
    activate()
    first = runs.start(by="system:test")
    runs.run(str(first.pk))
    SourceRecord.objects.filter(external_id__in=["p1", "p5"]).update(
        attributes={**people["p1"], "birth_date": "1990-04-01"}
    )
    ids = sorted(SourceRecord.objects.values_list("pk", flat=True))
    online.note(ids)
    return ids


def waiting() -> list[int]:
    return sorted(UnmatchedChange.objects.values_list("record", flat=True))


def collected(run: MatchRun) -> list[int]:
    return sorted(RunRecord.objects.filter(run=run).values_list("record", flat=True))


def after_portion(number: int, act: Callable[[MatchRun], None]) -> Callable[[MatchRun], None]:
    """Act when so many portions of collecting are committed."""
    portions = []

    def listen(run: MatchRun) -> None:
        if run.phase == runs.COLLECTING:
            portions.append(run.done)
            if len(portions) == number:
                act(run)

    return listen


def die(_run: MatchRun) -> None:
    raise KeyboardInterrupt


def test_the_request_leaves_it_to_the_job(changed: list[int]) -> None:
    with CaptureQueriesContext(connection) as queries:
        begun = runs.start(by="system:test")
    assert not any("profiles_unmatchedchange" in query["sql"] for query in queries)
    assert (waiting(), collected(begun)) == (changed, [])
    runs.run(str(begun.pk))
    begun.refresh_from_db()
    assert (begun.status, begun.report["records"], begun.report["links"]) == ("done", 5, 1)
    assert (waiting(), RunRecord.objects.count()) == ([], 0)


def test_killed_it_goes_on_with_the_rest(changed: list[int]) -> None:
    begun = runs.start(by="system:test")
    with pytest.raises(KeyboardInterrupt):
        runs.carry_on(begun.pk, listen=after_portion(2, die))
    assert (collected(begun), waiting()) == (changed[:4], changed[4:])
    begun.refresh_from_db()
    assert (begun.phase, begun.done, begun.total) == ("collecting", 4, 5)
    assert runs.carry_on(begun.pk)
    begun.refresh_from_db()
    assert (begun.status, begun.report["records"], waiting()) == ("done", 5, [])


def test_killed_again_and_again_while_it_gets_on_it_is_not_given_up(changed: list[int]) -> None:
    begun = runs.start(by="system:test")
    MatchRun.objects.filter(pk=begun.pk).update(cursor={"attempts": runs.MOST_ATTEMPTS - 1})
    for _time in range(2):
        with pytest.raises(KeyboardInterrupt):
            runs.carry_on(begun.pk, listen=after_portion(1, die))
    begun.refresh_from_db()
    assert (begun.status, len(collected(begun))) == ("running", 4)


def test_what_changes_meanwhile_waits_for_this_run_or_the_next(changed: list[int]) -> None:
    begun = runs.start(by="system:test")

    def change(_run: MatchRun) -> None:
        online.note([changed[0], changed[4]])  # one that is collected, one that is not

    assert runs.carry_on(begun.pk, listen=after_portion(1, change))
    begun.refresh_from_db()
    assert (begun.status, begun.report["records"], waiting()) == ("done", 5, changed[:1])


def test_killed_it_collects_also_what_has_changed_again(changed: list[int]) -> None:
    begun = runs.start(by="system:test")
    with pytest.raises(KeyboardInterrupt):
        runs.carry_on(begun.pk, listen=after_portion(1, die))
    online.note(changed[:1])
    assert runs.carry_on(begun.pk)
    begun.refresh_from_db()
    assert (begun.status, begun.report["records"], waiting()) == ("done", 5, [])


def test_cancelled_half_way_all_wait_again(changed: list[int], steward: User) -> None:
    begun = runs.start(by="system:test")
    runs.carry_on(begun.pk, listen=after_portion(1, lambda run: runs.cancel(run=run, by=steward)))
    begun.refresh_from_db()
    assert (begun.status, waiting(), RunRecord.objects.count()) == ("cancelled", changed, 0)


def test_a_job_whose_time_is_up_puts_itself_back(changed: list[int]) -> None:
    begun = runs.start(by="system:test")
    assert not runs.carry_on(begun.pk, until=time.monotonic())
    assert (len(collected(begun)), len(waiting())) == (2, 3)


def test_a_run_over_everything_collects_nothing(changed: list[int]) -> None:
    begun = runs.start(by="system:test", everything=True)
    phases: list[str] = []
    runs.carry_on(begun.pk, listen=lambda run: phases.append(run.phase))
    assert runs.COLLECTING not in phases
    assert waiting() == []
