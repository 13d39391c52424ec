"""The model that tests use says what its table foresees, and is the model in use."""

from pathlib import Path

import pytest
from pytest_django import Settings

from profiles.matching import active, model_files
from profiles.models import MatchModel
from tests.factories.matching import FakeMatcher, activate, make_model

ANN = {"given": ("Ann",), "family": ("Ash",), "phones": ("+66863451972",), "birth_dates": ("1990-04-01",)}


def test_a_name_alone_is_asked_and_a_second_field_attaches() -> None:
    matcher = FakeMatcher()
    namesake = ANN | {"phones": None, "birth_dates": None}
    score, attached = matcher.score([(ANN, namesake), (ANN, ANN | {"birth_dates": None})])
    assert 0.6 < score < 0.9 < attached
    assert matcher.explain(ANN, namesake).score == score
    assert matcher.keys(ANN) == {"phones:+66863451972", "names:ann ash"}
    assert matcher.keys(ANN | {"family": None, "phones": ()}) == frozenset()


@pytest.mark.django_db
def test_it_is_in_use_until_another_is() -> None:
    assert active.current() is None
    first, second = FakeMatcher(), FakeMatcher(prior=-9.0)
    activate(first, attach=0.8, review=0.3)
    found = active.current()
    assert found is not None
    assert (found.matcher, found.attach, found.review) == (first, 0.8, 0.3)
    model = activate(second)
    found = active.current()
    assert found is not None
    assert (found.matcher, found.version) == (second, model.version)
    assert MatchModel.objects.get(status=MatchModel.Status.ACTIVE) == model


@pytest.mark.django_db
def test_a_model_that_is_none_of_these_is_read_from_its_file(settings: Settings, tmp_path: Path) -> None:
    settings.CDP_DATA = tmp_path
    make_model(FakeMatcher())
    trained = MatchModel.objects.create(version=99, file_mac=bytes(32), created_by="system:test")
    with pytest.raises(model_files.RefusedModel):
        model_files.load(trained)
