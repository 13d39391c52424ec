"""The model in use, as a process knows it: noticed when another process changes it, refused when its file was."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings
from structlog.testing import capture_logs

from ingestion.models import Source
from profiles.matching import active, model_files
from profiles.matching.active import Active, Refused
from profiles.matching.learned import LearnedMatcher, Readings, Weights
from profiles.models import BlockKey, MatchModel, Profile
from tests.database import url_with
from tests.factories.arrivals import arrive, row
from tests.factories.matching import make_model

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee", "birth_date": "1990-04-01"}


@pytest.fixture(autouse=True)
def folder_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.CDP_DATA = tmp_path


def learned(prior: float = -4.0) -> LearnedMatcher:
    readings = Readings()
    return LearnedMatcher(
        Weights(prior=prior, curves=dict.fromkeys(readings.names, ((0.0, -2.0), (1.0, 4.0)))), readings=readings
    )


def stored(status: str = MatchModel.Status.ACTIVE) -> MatchModel:
    """A model with a file."""
    model = make_model(learned(), status=status)
    model_files.save(model, learned())
    return model


def flip_a_byte(model: MatchModel) -> bytes:
    path = model_files.path_of(model)
    before = path.read_bytes()
    path.write_bytes(before[:20] + bytes([before[20] ^ 1]) + before[21:])
    return before


@pytest.mark.django_db
def test_none_is_in_use_at_first(django_assert_num_queries: Any) -> None:
    stored(MatchModel.Status.READY)
    with django_assert_num_queries(1):
        assert active.current() is None
    assert active.look() is None


@pytest.mark.django_db
def test_the_file_is_read_once(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any) -> None:
    model = stored()
    found = active.current()
    assert found is not None
    assert (found.model_id, found.version, found.attach, found.review) == (
        model.pk,
        model.version,
        model.attach_threshold,
        model.review_threshold,
    )
    model_files.path_of(model).unlink()
    with django_assert_num_queries(1):
        assert active.current() == found


@pytest.mark.django_db(transaction=True)
def test_what_another_process_takes_into_use_counts_from_the_next_question_on() -> None:
    first, second = stored(), stored(MatchModel.Status.READY)
    found = active.current()
    assert found is not None
    assert found.model_id == first.pk
    with psycopg.connect(url_with(connection.settings_dict["NAME"]), autocommit=True) as other:
        other.execute("UPDATE profiles_matchmodel SET status = 'retired' WHERE id = %s", [first.pk])
        assert active.current() is None
        other.execute(
            "UPDATE profiles_matchmodel SET status = 'active', attach_threshold = 0.8 WHERE id = %s", [second.pk]
        )
        found = active.current()
        assert found is not None
        assert (found.model_id, found.attach) == (second.pk, 0.8)
        other.execute("UPDATE profiles_matchmodel SET attach_threshold = 0.7 WHERE id = %s", [second.pk])
        now = active.current()
        assert now is not None
        assert now.attach == 0.7
        assert now.matcher is found.matcher


@pytest.mark.django_db
def test_a_file_with_one_byte_flipped_stops_matching_and_nothing_else(
    pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = stored()
    flip_a_byte(model)
    with capture_logs() as logs:
        assert arrive(pos, row("p1", **SUDA)) == {"stored": 1}
        assert arrive(pos, row("p2", **SUDA)) == {"stored": 1}
    assert Profile.objects.people().count() == 2
    assert not BlockKey.objects.exists()
    # Said aloud, but not with every step.
    assert [line["version"] for line in logs if line["event"] == "model_refused"] == [model.version]
    refused = active.look()
    assert isinstance(refused, Refused)
    assert str(model.version) in str(refused.message)


@pytest.mark.django_db
def test_a_file_that_was_put_back_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = stored()
    before = flip_a_byte(model)
    assert isinstance(active.look(), Refused)
    model_files.path_of(model).write_bytes(before)
    assert isinstance(active.look(), Refused)
    monkeypatch.setattr(active, "SECONDS_BETWEEN_TRIES", 0.0)
    assert isinstance(active.look(), Active)


@pytest.mark.django_db
def test_without_thresholds_nobody_is_joined_and_nobody_asked() -> None:
    MatchModel.objects.filter(pk=stored().pk).update(attach_threshold=None, review_threshold=None)
    found = active.current()
    assert found is not None
    assert found.attach == found.review == 1.0
