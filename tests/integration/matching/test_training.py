"""Training from labels: what the row and the file hold, what is missing when it fails, and who goes on with it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone, translation
from pytest_django import Settings

from cdp_site.core import jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles.matching import learning, model_files, pools, records, training
from profiles.models import Identifier, MatchLabel, MatchModel, ReviewPair, SourceRecord
from tests.customers import Tell
from tests.factories.doubles import Doubles, answer_all, say, tell_of_doubles

pytestmark = pytest.mark.django_db

Enqueued = list[tuple[str, ...]]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """As the texts below."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def enqueued(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Enqueued:
    """What would go to the job cluster; files go to a folder of the test."""
    settings.CDP_DATA = tmp_path
    found: Enqueued = []
    monkeypatch.setattr(jobs, "enqueue", lambda *job: found.append(tuple(map(str, job))))
    return found


@pytest.fixture
def doubles(tell: Tell, web_shop: Source, pos: Source) -> Doubles:
    return tell_of_doubles(tell, web_shop, pos, people=90)


@pytest.fixture
def answered(doubles: Doubles, steward: User) -> Doubles:
    """Eighty questions have been answered, half of them blind."""
    pools.ask()
    assert answer_all(steward, doubles) == pools.QUESTIONS_AT_ONCE + pools.HELD_OUT
    return doubles


def _trained(by: User) -> MatchModel:
    model = training.start(by=by)
    training.run(model.pk)
    model.refresh_from_db()
    return model


def test_a_model_is_a_row_and_a_file_that_tells_pairs_from_strangers(
    answered: Doubles, steward: User, enqueued: Enqueued
) -> None:
    model = _trained(steward)
    assert enqueued == [(training.JOB, str(model.pk))]
    assert (model.version, model.status, model.problem, model.progress) == (1, "ready", None, {})
    counts = model.labels
    assert counts["same"] + counts["different"] == pools.QUESTIONS_AT_ONCE
    assert counts["held_out_same"] + counts["held_out_different"] == pools.HELD_OUT
    assert len(model.measures["held_out"]) == pools.HELD_OUT
    assert len(model.histogram) == 20
    assert [one["precision"] for one in model.proposals] == sorted(one["precision"] for one in model.proposals)
    assert all({"attach", "review", "pairs", "hours", "recall"} <= one.keys() for one in model.proposals)
    assert model.attach_threshold is not None
    assert 0 < model.review_threshold <= model.attach_threshold <= 1
    assert model.seconds > 0
    assert model.memory_mb > 0
    assert model.file_bytes == model_files.path_of(model).stat().st_size

    matcher = model_files.load(model)
    shown = records.read([number for pair in answered.pairs for number in pair])
    true = matcher.score([(shown[a], shown[b]) for a, b in answered.pairs])
    assert sum(score >= model.review_threshold for score in true) >= 0.9 * len(true)
    others = [pair[1] for pair in answered.pairs]
    false = matcher.score([(shown[a], shown[b]) for (a, _), b in zip(answered.pairs, others[1:], strict=False)])
    assert sum(score >= model.attach_threshold for score in false) <= 0.02 * len(false)
    assert [event.action for event in AuditEvent.objects.filter(target_type="profiles.MatchModel").order_by("pk")] == [
        "match_model.train",
        "match_model.trained",
    ]


def test_the_same_labels_give_the_same_file(answered: Doubles, steward: User) -> None:
    first, second = _trained(steward), _trained(steward)
    assert second.version == 2
    assert model_files.path_of(first).read_bytes() == model_files.path_of(second).read_bytes()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        yield from (text for one in (value.values() if isinstance(value, dict) else value) for text in _texts(one))
    elif isinstance(value, str):
        yield value


def test_neither_file_nor_row_holds_anything_of_anybody(answered: Doubles, steward: User) -> None:
    model = _trained(steward)
    held = model_files.path_of(model).read_text()
    row = json.dumps([model.progress, model.labels, model.measures, model.histogram, model.proposals])
    values = {text.lower() for one in SourceRecord.objects.all() for text in _texts(one.attributes) if len(text) > 3}
    values |= {one.value.lower() for one in Identifier.objects.all() if len(one.value) > 3}
    assert len(values) > 300
    assert [value for value in values if value in held.lower() or value in row.lower()] == []


@pytest.mark.parametrize(
    ("same", "different", "code"),
    [(0, 0, "too_few_labels"), (5, 5, "too_few_labels"), (30, 2, "one_sided_labels"), (0, 30, "one_sided_labels")],
)
def test_what_is_missing_is_said(doubles: Doubles, steward: User, same: int, different: int, code: str) -> None:
    for pair in doubles.pairs[:same]:
        say(steward, pair, same=True)
    for (a, _), (_, b) in zip(doubles.pairs[:different], doubles.pairs[1:], strict=False):
        say(steward, (a, b), same=False)
    model = _trained(steward)
    assert model.status == MatchModel.Status.FAILED
    assert model.problem["code"] == code
    assert model.problem["need"] in (learning.LEAST_LABELS, learning.LEAST_OF_EACH)
    assert (model.labels["same"], model.labels["different"]) == (same, different)
    assert model.file_mac is None
    assert not model_files.path_of(model).exists()


def test_labels_of_pairs_of_which_none_meet_are_said_to_be_so(
    doubles: Doubles, steward: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pair in doubles.pairs[:15]:
        say(steward, pair, same=True)
    for (a, _), (_, b) in zip(doubles.pairs[:15], doubles.pairs[1:], strict=False):
        say(steward, (a, b), same=False)
    monkeypatch.setattr(learning.candidates, "meeting", lambda _pool: set())
    model = _trained(steward)
    assert (model.status, model.problem["code"]) == ("failed", "no_blocked_pairs")


def test_a_conflict_of_two_stewards_teaches_nothing_and_is_counted(
    answered: Doubles, steward: User, admin: User
) -> None:
    label = MatchLabel.objects.filter(is_held_out=False, verdict="same").first()
    assert label is not None
    before = _trained(steward)
    say(admin, (label.record_a_id, label.record_b_id), same=False)
    model = _trained(steward)
    assert model.labels["same"] == before.labels["same"] - 1
    assert (before.labels["conflicts"], model.labels["conflicts"]) == (0, 1)


def test_held_out_pairs_measure_the_stewards_and_train_nothing(answered: Doubles, steward: User, admin: User) -> None:
    blind = MatchLabel.objects.filter(is_held_out=True).order_by("pk")
    pairs = [((one.record_a_id, one.record_b_id), one.verdict == "same") for one in blind]
    for place, (pair, same) in enumerate(pairs):
        say(admin, pair, same=same if place else not same, is_held_out=True)
    model = _trained(steward)
    assert model.measures["agreement"]["compared"] == pools.HELD_OUT
    assert model.measures["agreement"]["agreed"] == pools.HELD_OUT - 1
    assert model.labels["conflicts"] == 1
    assert len(model.measures["held_out"]) == pools.HELD_OUT - 1


def test_held_out_pairs_count_for_as_many_as_they_stand_for(answered: Doubles, steward: User) -> None:
    ReviewPair.objects.filter(is_held_out=True).update(weight=7)
    model = _trained(steward)
    assert {weight for _score, _same, weight in model.measures["held_out"]} == {7}


def test_one_training_at_a_time(answered: Doubles, steward: User) -> None:
    training.start(by=steward)
    with pytest.raises(ConflictProblem, match="already"):
        training.start(by=steward)


def test_its_progress_is_told_by_phases(answered: Doubles, steward: User) -> None:
    phases: list[str] = []
    model = training.start(by=steward)
    training.run(model.pk, progress=lambda phase, _done, _total: phases.append(phase))
    assert list(dict.fromkeys(phases)) == ["pairs", "weights", "rules", "measures", "file"]


def test_a_training_that_was_killed_is_taken_up_and_gives_up_in_the_end(
    answered: Doubles, steward: User, monkeypatch: pytest.MonkeyPatch, enqueued: Enqueued
) -> None:
    model = training.start(by=steward)

    def killed(*_args: object, **_kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(learning, "train", killed)
        with pytest.raises(SystemExit):
            training.run(model.pk)
    enqueued.clear()
    assert training.resume_abandoned() == 0  # it may be alive
    long_ago = timezone.now() - timedelta(minutes=6)
    MatchModel.objects.update(beat_at=long_ago, created_at=long_ago)
    assert training.resume_abandoned() == 1
    assert enqueued == [(training.JOB, str(model.pk))]
    training.run(model.pk)
    model.refresh_from_db()
    assert model.status == MatchModel.Status.READY

    other = training.start(by=steward)
    MatchModel.objects.filter(pk=other.pk).update(progress={"attempts": training.MOST_ATTEMPTS})
    training.run(other.pk)
    other.refresh_from_db()
    assert (other.status, other.problem["code"]) == ("failed", "died")


def test_the_command_makes_a_model_anew_from_the_labels(
    answered: Doubles, steward: User, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = _trained(steward)
    path = model_files.path_of(damaged)
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"\0")
    with pytest.raises(model_files.RefusedModel):
        model_files.load(damaged)
    call_command("train_matching")
    out = capsys.readouterr().out
    assert "Model 2 is ready" in out
    assert model_files.path_of(MatchModel.objects.get(version=2)).read_bytes() == good


def test_the_command_says_what_is_missing(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="0 pairs have been judged; at least 20 are needed"):
        call_command("train_matching")
