"""A model from its trial into use and out of it again, with everything that it joins on the way."""

from collections.abc import Iterator

import pytest
from django.utils import timezone, translation

from cdp_site.core import jobs
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles.matching import lifecycle, model_files, rollback, runs
from profiles.matching.model_files import RefusedModel
from profiles.models import BlockKey, MatchChange, MatchModel, MatchRun, Membership, SourceRecord
from profiles.state import hashes
from tests.customers import Tell, identify, track
from tests.factories.matching import FakeMatcher, activate, make_model

pytestmark = pytest.mark.django_db

ENOUGH = {"same": 20, "different": 30}


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would go to the job cluster."""
    found: list[tuple[str, ...]] = []
    monkeypatch.setattr(jobs, "enqueue", lambda *job: found.append(tuple(map(str, job))))
    return found


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """As the texts below."""
    with translation.override("en"):
        yield


def _model(**fields: object) -> MatchModel:
    return make_model(FakeMatcher(), **{"labels": ENOUGH, "thresholds_at": timezone.now(), **fields})


def _try(model: MatchModel, by: User) -> MatchRun:
    run = runs.start(by=by, trial_of=model)
    runs.run(str(run.pk))
    run.refresh_from_db()
    assert run.status == MatchRun.Status.DONE
    return run


def _run_first(model: MatchModel) -> MatchRun:
    run = MatchRun.objects.get(model=model, kind=MatchRun.Kind.BATCH)
    runs.run(str(run.pk))
    run.refresh_from_db()
    return run


@pytest.fixture
def people(tell: Tell, web_shop: Source, pos: Source) -> list[SourceRecord]:
    """Three people of whom two systems know the name and the birth date, and one who has nobody like her."""
    for number, given in enumerate(("Somchai", "Prasit", "Wanida")):
        person = {"firstName": given, "lastName": "Jaidee", "birth_date": f"1980-01-0{number + 1}"}
        tell(
            web_shop, identify(f"u{number}", **person, email=f"u{number}@baansabai.co.th"), track(f"u{number}", "Seen")
        )
        tell(pos, identify(f"p{number}", **person, phone=f"08612345{number}0"), track(f"p{number}", "Seen", hours=3))
    tell(pos, identify("alone", firstName="Malee", lastName="Srisuk", birth_date="1999-09-09"))
    return list(SourceRecord.objects.order_by("pk"))


def _owners(people: list[SourceRecord]) -> int:
    return Membership.objects.filter(record__in=people, valid_to=None).values("profile").distinct().count()


def test_from_the_trial_into_use_and_back_to_the_state_of_before(
    people: list[SourceRecord], steward: User, tell: Tell, pos: Source
) -> None:
    births = [record.birth_profile_id for record in people]
    before = hashes(births)
    model = _model()
    trial = _try(model, steward)
    assert MatchChange.objects.filter(run=trial, action="link").count() == 3
    assert hashes(births) == before
    lifecycle.activate(model=model, by=steward)
    model.refresh_from_db()
    assert (model.status, model.activated_by) == ("active", f"user:{steward.pk}")
    assert _run_first(model).report["links"] == 3
    assert _owners(people) == 4
    assert BlockKey.objects.exists()
    foreseen = rollback.foresee(model)
    assert (foreseen.links, foreseen.confirmed) == (3, 0)
    assert (foreseen.consequences.customers_before, foreseen.consequences.customers_after) == (3, 6)
    run = rollback.start(model=model, by=steward)
    rollback.run(str(run.pk))
    assert hashes(births) == before

    # What arrives in between is at its right owner afterwards.
    again = _model()
    _try(again, steward)
    lifecycle.activate(model=again, by=steward)
    _run_first(again)
    tell(pos, track("p1", "Came back", hours=1))
    rollback.run(str(rollback.start(model=again, by=steward).pk))
    after = hashes(births)
    assert [part for part in before if before[part] != after[part]] == ["touchpoints"]
    assert _owners(people) == len(people)


def test_the_model_before_is_replaced_and_only_one_is_in_use(people: list[SourceRecord], steward: User) -> None:
    first = activate(FakeMatcher())
    second = _model()
    _try(second, steward)
    lifecycle.activate(model=second, by=steward)
    first.refresh_from_db()
    assert first.status == MatchModel.Status.RETIRED
    assert first.ended_at is not None
    assert MatchModel.objects.in_use().get() == second
    actions = AuditEvent.objects.filter(target_type="profiles.MatchModel").order_by("pk")
    assert [event.action for event in actions] == ["match_model.retire", "match_model.activate"]


def test_without_a_trial_of_these_thresholds_it_stays_out(people: list[SourceRecord], steward: User) -> None:
    model = _model()
    with pytest.raises(ConflictProblem, match="no finished trial"):
        lifecycle.activate(model=model, by=steward)
    _try(model, steward)
    lifecycle.choose_thresholds(model=model, attach=0.95, review=0.5, by=steward)
    model.refresh_from_db()
    assert lifecycle.readiness(model).trial is None
    with pytest.raises(ConflictProblem, match="no finished trial"):
        lifecycle.activate(model=model, by=steward)
    _try(model, steward)
    lifecycle.activate(model=model, by=steward)
    assert MatchModel.objects.in_use().get() == model


def test_a_trial_that_has_not_ended_is_none(people: list[SourceRecord], steward: User) -> None:
    model = _model()
    runs.start(by=steward, trial_of=model)
    ready = lifecycle.readiness(model)
    assert ready.trial is not None
    assert not ready.is_tried
    with pytest.raises(ConflictProblem):
        lifecycle.activate(model=model, by=steward)


@pytest.mark.parametrize("labels", [{"same": 19, "different": 40}, {"same": 25, "different": 24}, {}])
def test_few_labels_take_a_reason(people: list[SourceRecord], steward: User, labels: dict[str, int]) -> None:
    model = _model(labels=labels)
    _try(model, steward)
    for nothing in ("", "  "):
        with pytest.raises(MendableError) as problem:
            lifecycle.activate(model=model, by=steward, reason=nothing)
        assert problem.value.field == "reason"
    lifecycle.activate(model=model, by=steward, reason="The shop has few customers.")
    model.refresh_from_db()
    assert (model.status, model.override_reason) == ("active", "The shop has few customers.")
    activated = AuditEvent.objects.get(action="match_model.activate")
    assert activated.fields == ["override_reason", "status"]


def test_with_enough_labels_no_reason_is_kept(people: list[SourceRecord], steward: User) -> None:
    model = _model()
    _try(model, steward)
    lifecycle.activate(model=model, by=steward, reason="not asked for")
    model.refresh_from_db()
    assert model.override_reason == ""


def test_a_damaged_file_is_not_taken_into_use(
    people: list[SourceRecord], steward: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = _model()
    _try(model, steward)

    def refuse(_model: MatchModel) -> None:
        raise RefusedModel("damaged")

    monkeypatch.setattr(model_files, "load", refuse)
    with pytest.raises(RefusedModel):
        lifecycle.activate(model=model, by=steward)
    assert not MatchModel.objects.in_use().exists()


def test_the_first_run_waits_for_one_that_goes_on(people: list[SourceRecord], steward: User) -> None:
    model, other = _model(), _model()
    _try(model, steward)
    going_on = runs.start(by=steward, trial_of=other)
    lifecycle.activate(model=model, by=steward)
    assert not MatchRun.objects.filter(kind=MatchRun.Kind.BATCH).exists()
    assert not lifecycle.start_first_run()
    runs.run(str(going_on.pk))
    assert lifecycle.start_first_run()
    assert MatchRun.objects.get(kind=MatchRun.Kind.BATCH).everything
    assert not lifecycle.start_first_run()


def test_without_a_model_there_is_no_first_run() -> None:
    assert not lifecycle.start_first_run()


@pytest.mark.parametrize(
    ("attach", "review", "field"),
    [(0.9, 0, "review"), (0.9, 1.2, "review"), (0.5, 0.4, "attach"), (1.01, 0.4, "attach"), (0.8, 0.9, "review")],
)
def test_thresholds_out_of_order_are_refused(steward: User, attach: float, review: float, field: str) -> None:
    model = _model()
    with pytest.raises(MendableError) as problem:
        lifecycle.choose_thresholds(model=model, attach=attach, review=review, by=steward)
    assert problem.value.field == field


def test_thresholds_of_a_model_in_use_stay(steward: User) -> None:
    model = activate(FakeMatcher())
    with pytest.raises(ConflictProblem):
        lifecycle.choose_thresholds(model=model, attach=0.9, review=0.5, by=steward)


def test_out_of_use_without_another_what_it_joined_stands(people: list[SourceRecord], steward: User) -> None:
    model = _model()
    _try(model, steward)
    lifecycle.activate(model=model, by=steward)
    _run_first(model)
    lifecycle.retire(model=model, by=steward)
    assert not MatchModel.objects.in_use().exists()
    assert _owners(people) == 4
    with pytest.raises(ConflictProblem):
        lifecycle.retire(model=model, by=steward)


def test_quality_is_measured_at_the_threshold_chosen() -> None:
    held_out = [[0.95, True, 1.0], [0.8, True, 1.0], [0.7, False, 2.0], [0.1, False, 4.0]]
    model = _model(measures={"held_out": held_out}, attach=0.9)
    strict = lifecycle.quality(model)
    assert strict is not None
    assert (strict.precision.value, strict.recall.value) == (1.0, 0.5)
    loose = lifecycle.quality(model, attach=0.6)
    assert loose is not None
    assert (loose.precision.value, loose.recall.value) == (0.5, 1.0)
    assert lifecycle.quality(_model()) is None
