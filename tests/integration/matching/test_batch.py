"""A run of matching over everything or over what changed: joins, parts, asks, and is told exactly what it did."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import hashing, jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, Operation, User
from ingestion.models import Source
from profiles import merging, rebuild
from profiles.matching import active, asking, batch, online, runs, verified
from profiles.matching.asking import Pair, Question
from profiles.models import (
    BlockKey,
    LinkDecision,
    MatchLabel,
    MatchRun,
    Membership,
    Profile,
    ReviewPair,
    RunRecord,
    ScoredPair,
    SourceRecord,
    UnmatchedChange,
)
from tests.factories.arrivals import arrive, identify, row
from tests.factories.matching import FakeMatcher, activate, match

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
MANEE: dict[str, Any] = {"first_name": "Manee", "last_name": "Jaidee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}
OTHER_BIRTH: dict[str, Any] = {"birth_date": "1971-12-24"}


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would go to the job cluster: tests run it themselves."""
    found: list[str] = []
    monkeypatch.setattr(jobs, "enqueue", lambda job, argument: found.append(f"{job} {argument}"))
    return found


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def people() -> set[frozenset[str]]:
    """The external ids of each customer's records."""
    found: dict[int, set[str]] = {}
    current = Membership.objects.filter(valid_to=None)
    for profile, external_id in current.values_list("profile_id", "record__external_id"):
        found.setdefault(profile, set()).add(external_id)
    return {frozenset(of_profile) for of_profile in found.values()}


def changes(run: MatchRun) -> list[tuple[str, str, str, str]]:
    """Action, the two external ids, guard; in their order."""
    rows = run.changes.order_by("pk").values_list("action", "record_a__external_id", "record_b__external_id", "guard")
    return [(action, a, b, guard) for action, a, b, guard in rows]


def counts(run: MatchRun, *names: str) -> Sequence[int]:
    return [run.report.get(name, 0) for name in names]


# --- what it finds ------------------------------------------------------------------------------------------------


def test_what_came_before_there_was_a_model_is_joined(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **MANEE, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA, **OTHER_BIRTH), row("p3"))
    model = activate()
    run = match()
    assert (run.status, run.everything, run.model) == ("done", True, model)
    assert people() == {frozenset({"u1", "p1"}), frozenset({"u2"}), frozenset({"p2"}), frozenset({"p3"})}
    [link] = LinkDecision.objects.filter(kind="model")
    assert (link.record_a_id, link.record_b_id) == (record("u1"), record("p1"))
    assert link.evidence == {"model": model.version, "prior": -3.0, "fields": [["names", 4.0], ["birth_dates", 4.0]]}
    assert (link.operation_id, link.actor) == (run.pk, "system:test")
    assert changes(run) == [("link", "u1", "p1", "")]
    assert counts(run, "records", "without_key", "pairs", "links", "withdrawn", "reviews") == [5, 1, 3, 1, 0, 0]
    assert run.report["seconds"] > 0
    assert rebuild.check() == []


def test_it_leaves_nothing_behind_but_its_report(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    activate()
    online.note([record("u1")])
    run = match(everything=True)
    assert not ScoredPair.objects.exists()
    assert not RunRecord.objects.exists()
    assert not UnmatchedChange.objects.exists()
    assert BlockKey.objects.count() == 2
    assert Operation.objects.get(pk=run.pk).kind == Operation.Kind.MERGE
    assert set(AuditEvent.objects.filter(target_id=str(run.pk)).values_list("action", flat=True)) == {
        "match.run",
        "match.run_done",
    }


def test_a_second_run_over_everything_finds_nothing_new(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA))
    activate()
    first = match()
    second = match(everything=True)
    assert counts(first, "links", "reviews", "keys") == [1, 1, 3]
    assert (changes(second), counts(second, "keys", "records")) == ([], [0, 3])


def test_keys_of_another_secret_are_made_again(web_shop: Source, settings: Settings) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    model = activate()
    match()
    assert batch.keys_stand(model.pk)
    settings.CDP_HASH_KEYS = [*settings.CDP_HASH_KEYS, "next:" + "cd" * 32]
    hashing._keys.cache_clear()
    try:
        assert not batch.keys_stand(model.pk)
        assert match().everything
    finally:
        hashing._keys.cache_clear()


def test_the_next_run_looks_at_what_changed_alone(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **OTHER_BIRTH))
    activate()
    match()
    BlockKey.objects.all().delete()  # nobody else's keys are made again
    SourceRecord.objects.filter(external_id="p1").update(attributes={**SUDA, **BORN})
    online.note([record("p1")])
    run = match()
    assert (run.everything, counts(run, "records", "pairs", "links")) == (False, [1, 0, 0])
    online.note([record("p1"), record("u1")])
    run = match()
    assert (changes(run), counts(run, "records", "links")) == ([("link", "u1", "p1", "")], [2, 1])
    assert not UnmatchedChange.objects.exists()


def test_nothing_is_lost_between_portions(pos: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEYS_AT_ONCE", "PAIRS_AT_ONCE", "RECORDS_AT_ONCE", "PROFILES_AT_ONCE"):
        monkeypatch.setattr(batch, name, 1)
    for number in range(4):
        named: dict[str, Any] = {"first_name": "Suda", "last_name": "Rak" + "dee" * (1 + number // 2)}
        arrive(pos, row(f"p{number}", **named, **BORN))
    activate()
    run = match()
    assert people() == {frozenset({"p0", "p1"}), frozenset({"p2", "p3"})}
    assert counts(run, "pairs", "links") == [2, 2]


# --- whom it asks -------------------------------------------------------------------------------------------------


def test_what_it_is_not_sure_of_is_asked_once(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA))
    model = activate()
    run = match()
    [pair] = ReviewPair.objects.all()
    assert (pair.state, pair.reason, pair.model) == ("waiting", "band", model)
    assert pair.evidence == {"prior": -3.0, "fields": [["names", 4.0]]}
    assert (changes(run), counts(run, "reviews")) == ([("review", "u1", "p1", "")], [1])
    assert changes(match(everything=True)) == []
    pair.state = "settled"
    pair.save()
    match(everything=True)
    assert ReviewPair.objects.get().state == "settled"


def test_what_was_asked_and_is_one_now_is_asked_no_more(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    model = activate()
    used = active.current()
    assert used is not None
    pair = Pair.of(record("u1"), record("p1"))
    asking.ask([Question(pair, "band", 0.7, used.matcher.explain({}, {}))], model_id=model.pk)
    match()
    assert ReviewPair.objects.get().state == "gone"


def test_what_a_steward_keeps_apart_stays_apart(steward: User, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    activate()
    match()
    owner = Profile.objects.get(memberships__record=record("p1"), memberships__valid_to=None)
    merging.unmerge(profile=owner, records=[record("p1")], by=steward, reason="Not one.")
    run = match(everything=True)
    assert people() == {frozenset({"u1"}), frozenset({"p1"})}
    assert changes(run) == []


def test_an_answer_of_review_is_a_veto(steward: User, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    activate()
    pair = {"record_a_id": record("u1"), "record_b_id": record("p1")}
    MatchLabel.objects.create(**pair, verdict="related", origin="call", by=steward)
    assert changes(match()) == []


def test_a_verified_record_is_asked_about(steward: User, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    owner = Profile.objects.get(memberships__record=record("u1"), memberships__valid_to=None)
    verified.verify(profile=owner, by=steward)
    activate()
    run = match()
    assert people() == {frozenset({"u1"}), frozenset({"p1"})}
    assert changes(run) == [("review", "u1", "p1", "verified")]
    assert ReviewPair.objects.get().reason == "verified"


# --- what it takes back -------------------------------------------------------------------------------------------


def joined(web_shop: Source, pos: Source) -> tuple[int, int]:
    """Two records that the model has joined, and of which one has changed since, unseen."""
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    activate()
    match()
    assert people() == {frozenset({"u1", "p1"})}
    SourceRecord.objects.filter(external_id="p1").update(attributes={**MANEE, **OTHER_BIRTH})
    online.note([record("p1")])
    return record("u1"), record("p1")


def test_a_link_that_nothing_supports_any_more_is_withdrawn(web_shop: Source, pos: Source) -> None:
    joined(web_shop, pos)
    run = match()
    assert people() == {frozenset({"u1"}), frozenset({"p1"})}
    assert (changes(run), counts(run, "withdrawn", "links")) == ([("withdraw", "u1", "p1", "")], [1, 0])
    assert changes(match(everything=True)) == []


def test_a_link_that_a_person_confirmed_stays(steward: User, web_shop: Source, pos: Source) -> None:
    a, b = joined(web_shop, pos)
    MatchLabel.objects.create(record_a_id=a, record_b_id=b, verdict="same", origin="queue", by=steward)
    assert (changes(match()), people()) == ([], {frozenset({"u1", "p1"})})


def test_what_a_person_verified_stays(steward: User, web_shop: Source, pos: Source) -> None:
    a, _b = joined(web_shop, pos)
    owner = Profile.objects.get(memberships__record=a, memberships__valid_to=None)
    verified.verify(profile=owner, by=steward)
    assert (changes(match()), people()) == ([], {frozenset({"u1", "p1"})})


def test_another_model_takes_back_what_it_does_not_see(web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    activate()
    match()
    activate(FakeMatcher(birth_dates=(-9.0, -9.0)))
    run = match()
    assert run.everything
    assert (changes(run), people()) == ([("withdraw", "u1", "p1", "")], {frozenset({"u1"}), frozenset({"p1"})})


# --- starting and ending ------------------------------------------------------------------------------------------


def test_without_a_model_nothing_runs(enqueued: list[str]) -> None:
    with pytest.raises(runs.NoModelError):
        runs.start(by="system:test")
    runs.start_nightly()
    assert not MatchRun.objects.exists()
    assert enqueued == []


def test_one_at_a_time(enqueued: list[str]) -> None:
    activate()
    first = runs.start(by="system:test")
    assert enqueued == [f"{runs.JOB} {first.pk}"]
    with pytest.raises(ConflictProblem):
        runs.start(by="system:test")
    runs.start_nightly()
    runs.run(str(first.pk))
    runs.start_nightly()
    assert list(MatchRun.objects.newest_first().values_list("status", "started_by")) == [
        ("running", "system:matching"),
        ("done", "system:test"),
    ]


def test_a_cancelled_run_keeps_what_it_did_and_leaves_the_rest(
    steward: User, web_shop: Source, pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **MANEE, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **MANEE, **BORN))
    activate()
    match()
    SourceRecord.objects.filter(external_id__in=["p1", "p2"]).update(attributes={**OTHER_BIRTH})
    online.note([record("p1"), record("p2")])
    monkeypatch.setattr(batch, "PROFILES_AT_ONCE", 1)
    begun = runs.start(by=steward)

    def stop(run: MatchRun) -> None:
        if run.phase == batch.Phase.DECIDING:
            runs.cancel(run=begun, by=steward)

    assert runs.carry_on(begun.pk, listen=stop)
    begun.refresh_from_db()
    assert (begun.status, counts(begun, "withdrawn")) == ("cancelled", [1])
    assert people() == {frozenset({"u1"}), frozenset({"p1"}), frozenset({"u2", "p2"})}
    assert UnmatchedChange.objects.count() == 2
    with pytest.raises(ConflictProblem):
        runs.cancel(run=begun, by=steward)
    match()
    assert people() == {frozenset({"u1"}), frozenset({"p1"}), frozenset({"u2"}), frozenset({"p2"})}


def test_a_run_ends_when_another_model_is_taken_into_use(pos: Source) -> None:
    arrive(pos, row("p1", **SUDA))
    activate()
    begun = runs.start(by="system:test")
    activate()
    runs.run(str(begun.pk))
    begun.refresh_from_db()
    assert (begun.status, begun.problem) == ("failed", "replaced")


def test_a_run_that_never_gets_on_is_given_up(pos: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    arrive(pos, row("p1", **SUDA))
    activate()
    begun = runs.start(by="system:test")
    monkeypatch.setattr(batch, "_count", lambda _run: 1 // 0)
    for _attempt in range(runs.MOST_ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            runs.run(str(begun.pk))
    runs.run(str(begun.pk))
    begun.refresh_from_db()
    assert (begun.status, begun.problem) == ("failed", "gave_up")


def test_the_watchdog_takes_up_what_has_died(enqueued: list[str]) -> None:
    activate()
    begun = runs.start(by="system:test")
    assert runs.resume_abandoned() == 0
    long_ago = timezone.now() - 2 * runs.SILENT_FOR
    MatchRun.objects.filter(pk=begun.pk).update(started_at=long_ago, beat_at=long_ago)
    assert runs.resume_abandoned() == 1
    assert enqueued == [f"{runs.JOB} {begun.pk}"] * 2


def test_a_job_whose_time_is_up_puts_itself_back(pos: Source, enqueued: list[str]) -> None:
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA, **BORN))
    activate()
    begun = runs.start(by="system:test")
    rounds = 1
    while not runs.carry_on(begun.pk, until=0):
        rounds += 1
    begun.refresh_from_db()
    assert (begun.status, counts(begun, "links")) == ("done", [1])
    assert rounds > 2
