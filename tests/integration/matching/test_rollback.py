"""Rolling a model back: exactly its own merges that no person confirmed come apart, everything else stays."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from cdp_site.core import jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles import merging
from profiles.matching import rollback
from profiles.models import (
    LinkDecision,
    MatchLabel,
    MatchModel,
    MatchRun,
    Membership,
    Profile,
    ReviewPair,
    SourceRecord,
    Touchpoint,
)
from profiles.resolution import decision_log, pipeline
from profiles.resolution.decision_log import NewDecision
from profiles.state import hashes
from tests.customers import Tell, identify, track
from tests.factories.matching import FakeMatcher, activate

pytestmark = pytest.mark.django_db

Enqueued = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """As the texts below."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch) -> Enqueued:
    """What would go to the job cluster: tests run it themselves."""
    found: Enqueued = []
    monkeypatch.setattr(jobs, "enqueue", lambda job, argument: found.append((job, str(argument))))
    return found


def _record(source: Source, user: str) -> SourceRecord:
    return SourceRecord.objects.get(source=source, external_id=user)


def _profile(record: SourceRecord) -> Profile:
    return Membership.objects.select_related("profile").get(record=record, valid_to=None).profile


def _join(model: MatchModel, *pairs: tuple[SourceRecord, SourceRecord], score: float = 0.97) -> list[int]:
    """As matching does it."""
    pipeline.take_merge_lock()
    ids = decision_log.append(
        [
            NewDecision(
                "link", "model", min(a.pk, b.pk), max(a.pk, b.pk), evidence={"model": model.version}, score=score
            )
            for a, b in pairs
        ],
        actor="system:matching",
    )
    pipeline.resolve_exclusively({record.pk for pair in pairs for record in pair}, by="system:matching")
    return ids


@pytest.fixture
def people(tell: Tell, web_shop: Source, pos: Source) -> list[SourceRecord]:
    """Six records that nothing but a model would join, each with something that it did."""
    for number in range(3):
        name = {"firstName": f"Somchai{number}", "lastName": "Jaidee"}
        tell(
            web_shop, identify(f"u{number}", **name, email=f"u{number}@baansabai.co.th"), track(f"u{number}", "Viewed")
        )
        tell(pos, identify(f"p{number}", **name, phone=f"08612345{number}0"), track(f"p{number}", "Viewed", hours=2))
    return [_record(source, f"{kind}{n}") for n in range(3) for source, kind in ((web_shop, "u"), (pos, "p"))]


def _roll_back(model: MatchModel, by: User) -> MatchRun:
    run = rollback.start(model=model, by=by)
    rollback.run(str(run.pk))
    run.refresh_from_db()
    return run


def _hashes(people: list[SourceRecord]) -> dict[str, str]:
    return hashes([record.birth_profile_id for record in people])


def test_the_state_is_that_of_before_and_what_arrived_since_is_at_its_owner(
    people: list[SourceRecord], steward: User, tell: Tell, pos: Source
) -> None:
    u0, p0, u1, p1, *_rest = people
    before = _hashes(people)
    model = activate(FakeMatcher())
    _join(model, (u0, p0), (u1, p1))
    assert _profile(u0) == _profile(p0)
    run = _roll_back(model, steward)
    assert _hashes(people) == before
    assert (run.status, run.done, run.report["withdrawn"], run.report["parted"]) == ("done", 2, 2, 2)

    again = activate(FakeMatcher())
    _join(again, (u0, p0))
    tell(pos, track("p0", "Bought", hours=1))
    assert set(Touchpoint.objects.filter(record=p0).values_list("profile", flat=True)) == {_profile(u0).pk}
    _roll_back(again, steward)
    after = _hashes(people)
    assert [part for part in before if before[part] != after[part]] == ["touchpoints"]
    assert set(Touchpoint.objects.filter(record=p0).values_list("profile", flat=True)) == {p0.birth_profile_id}
    assert Touchpoint.objects.filter(record=p0).count() == 2


def test_only_this_models_links_go(people: list[SourceRecord], steward: User) -> None:
    u0, p0, u1, p1, *_rest = people
    first = activate(FakeMatcher())
    _join(first, (u0, p0))
    second = activate(FakeMatcher())
    _join(second, (u1, p1))
    _roll_back(first, steward)
    assert _profile(u0) != _profile(p0)
    assert _profile(u1) == _profile(p1)
    second.refresh_from_db()
    assert second.status == MatchModel.Status.ACTIVE


def test_what_a_person_confirmed_stays(people: list[SourceRecord], steward: User) -> None:
    """By a merge of the pair, or by a label on the pair."""
    u0, p0, u1, p1, u2, p2 = people
    model = activate(FakeMatcher())
    _join(model, (u0, p0), (u1, p1), (u2, p2))
    MatchLabel.objects.create(record_a=u0, record_b=p0, verdict="same", origin="queue", by=steward)
    decision_log.append([NewDecision("link", "steward", u1.pk, p1.pk)], actor="user:1")
    foreseen = rollback.foresee(model)
    assert (foreseen.links, foreseen.looked_at, foreseen.confirmed) == (3, 3, 2)
    run = _roll_back(model, steward)
    assert (run.report["withdrawn"], run.report["kept"], run.report["parted"]) == (1, 2, 1)
    assert _profile(u0) == _profile(p0)
    assert _profile(u1) == _profile(p1)
    assert _profile(u2) != _profile(p2)


def test_a_word_about_others_of_the_same_clusters_confirms(
    people: list[SourceRecord], steward: User, tell: Tell, call_centre: Source
) -> None:
    u0, p0, *_rest = people
    tell(call_centre, identify("twin", firstName="Somchai0", lastName="Jaidee", phone="0861234500"))
    twin = _record(call_centre, "twin")
    assert _profile(twin) == _profile(p0)  # by the phone
    model = activate(FakeMatcher())
    _join(model, (u0, p0))
    label = MatchLabel.objects.create(record_a=u0, record_b=twin, verdict="same", origin="queue", by=steward)
    assert rollback.foresee(model).confirmed == 1
    label.undone_at = timezone.now()
    label.save()
    assert rollback.foresee(model).confirmed == 0
    MatchLabel.objects.create(record_a=u0, record_b=twin, verdict="different", origin="queue", by=steward)
    assert rollback.foresee(model).confirmed == 0


def test_the_preview_says_what_would_come_apart_and_changes_nothing(people: list[SourceRecord]) -> None:
    u0, p0, u1, p1, *_rest = people
    model = activate(FakeMatcher())
    _join(model, (u0, p0), (u1, p1))
    before = _hashes(people)
    decisions = LinkDecision.objects.count()
    foreseen = rollback.foresee(model)
    assert (foreseen.consequences.customers_before, foreseen.consequences.customers_after) == (2, 4)
    assert foreseen.consequences.touchpoints == 2
    assert not foreseen.is_sample
    assert _hashes(people) == before
    assert LinkDecision.objects.count() == decisions


def test_the_preview_looks_at_a_sample_of_many_spread_over_all(
    people: list[SourceRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    u0, p0, u1, p1, u2, p2 = people
    model = activate(FakeMatcher())
    _join(model, (u0, p0), (u1, p1), (u2, p2))
    monkeypatch.setattr(rollback, "SAMPLE", 2)
    foreseen = rollback.foresee(model)
    assert (foreseen.links, foreseen.looked_at, foreseen.is_sample) == (3, 2, True)
    assert foreseen.consequences.customers_after == 4


def test_a_model_that_joined_nobody_is_rolled_back_too(people: list[SourceRecord], steward: User) -> None:
    model = activate(FakeMatcher())
    assert rollback.foresee(model).links == 0
    assert _roll_back(model, steward).status == MatchRun.Status.DONE
    model.refresh_from_db()
    assert model.status == MatchModel.Status.WITHDRAWN
    of_model = AuditEvent.objects.filter(target_type="profiles.MatchModel").order_by("pk")
    assert [event.action for event in of_model] == ["match_model.rollback", "match_model.rolled_back"]


def test_it_goes_on_where_it_was_killed(
    people: list[SourceRecord], steward: User, monkeypatch: pytest.MonkeyPatch, enqueued: Enqueued
) -> None:
    u0, p0, u1, p1, u2, p2 = people
    before = _hashes(people)
    model = activate(FakeMatcher())
    _join(model, (u0, p0), (u1, p1), (u2, p2))
    monkeypatch.setattr(rollback, "LINKS_AT_ONCE", 1)
    run = rollback.start(model=model, by=steward)
    resolve, calls = pipeline.resolve_exclusively, []

    def killed_at_the_second(*args: object, **kwargs: object) -> object:
        calls.append(args)
        if len(calls) == 2:
            raise SystemExit
        return resolve(*args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "resolve_exclusively", killed_at_the_second)
        with pytest.raises(SystemExit):
            rollback.run(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.done) == ("running", 1)
    assert rollback.resume_abandoned() == 0  # it may be alive
    MatchRun.objects.update(beat_at=timezone.now() - timedelta(minutes=3))
    enqueued.clear()
    assert rollback.resume_abandoned() == 1
    assert enqueued == [(rollback.JOB, str(run.pk))]
    rollback.run(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.report["withdrawn"]) == ("done", 3)
    assert _hashes(people) == before


def test_out_of_time_it_puts_itself_back(
    people: list[SourceRecord], steward: User, monkeypatch: pytest.MonkeyPatch, enqueued: Enqueued
) -> None:
    u0, p0, u1, p1, *_rest = people
    model = activate(FakeMatcher())
    _join(model, (u0, p0), (u1, p1))
    monkeypatch.setattr(rollback, "LINKS_AT_ONCE", 1)
    monkeypatch.setattr(rollback, "BUDGET_SECONDS", 0)
    run = rollback.start(model=model, by=steward)
    for done in (1, 2, 2):
        rollback.run(str(run.pk))
        run.refresh_from_db()
        assert run.done == done
    assert run.status == "done"
    assert enqueued == [(rollback.JOB, str(run.pk))] * 3


def test_after_many_deaths_it_stops_and_a_person_makes_it_go_on(
    people: list[SourceRecord], steward: User, enqueued: Enqueued
) -> None:
    model = activate(FakeMatcher())
    _join(model, (people[0], people[1]))
    run = rollback.start(model=model, by=steward)
    MatchRun.objects.update(cursor={"attempts": rollback.MOST_ATTEMPTS})
    rollback.run(str(run.pk))
    run.refresh_from_db()
    assert run.status == MatchRun.Status.FAILED
    rollback.go_on(run_=run, by=steward)
    with pytest.raises(ConflictProblem):
        rollback.go_on(run_=run, by=steward)
    rollback.run(str(run.pk))
    run.refresh_from_db()
    assert (run.status, run.report["withdrawn"]) == ("done", 1)


def test_what_a_run_still_under_way_joined_later_is_taken_back_too(
    people: list[SourceRecord], steward: User, enqueued: Enqueued
) -> None:
    u0, p0, u1, p1, *_rest = people
    model = activate(FakeMatcher())
    batch = MatchRun.objects.create(kind="batch", model=model, started_by="system:test")
    _join(model, (u0, p0))
    run = _roll_back(model, steward)
    batch.refresh_from_db()
    assert batch.cancel_asked
    assert rollback.resume_abandoned() == 0
    _join(model, (u1, p1))
    assert rollback.resume_abandoned() == 1
    rollback.run(str(run.pk))
    assert _profile(u1) != _profile(p1)
    assert rollback.resume_abandoned() == 0


def test_questions_of_the_model_go_and_those_for_training_stay(people: list[SourceRecord], steward: User) -> None:
    u0, p0, u1, p1, *_rest = people
    model = activate(FakeMatcher())
    pairs = {"band": (u0, p0), "training": (u0, u1), "guard": (p0, p1)}
    for reason, (a, b) in pairs.items():
        ReviewPair.objects.create(record_a=a, record_b=b, reason=reason, model=model)
    run = _roll_back(model, steward)
    assert list(ReviewPair.objects.values_list("reason", flat=True)) == ["training"]
    assert run.report["reviews"] == 2


def test_what_was_never_in_use_or_is_rolled_back_already_is_refused(people: list[SourceRecord], steward: User) -> None:
    model = activate(FakeMatcher())
    _roll_back(model, steward)
    with pytest.raises(ConflictProblem, match="already"):
        rollback.start(model=model, by=steward)
    model.status = MatchModel.Status.READY
    model.save()
    with pytest.raises(ConflictProblem, match="never been in use"):
        rollback.start(model=model, by=steward)


def test_a_merge_by_hand_after_the_models_link_stays_joined(people: list[SourceRecord], steward: User) -> None:
    u0, p0, u1, _p1, *_rest = people
    model = activate(FakeMatcher())
    _join(model, (u0, p0))
    merging.merge(profiles=[_profile(u0), _profile(u1)], by=steward, reason="seen together")
    _roll_back(model, steward)
    assert _profile(u0) == _profile(u1)
    assert _profile(p0) != _profile(u0)
