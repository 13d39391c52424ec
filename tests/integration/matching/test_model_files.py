"""A model's file counts byte for byte or not at all."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from pytest_django import Settings

from profiles.matching import learned, model_files
from profiles.matching.model_files import RefusedModel
from profiles.models import MatchModel

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """As the texts below."""
    with translation.override("en"):
        yield


class _Weights:
    """As far as files go, a matcher is what its JSON says."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.weights = weights

    def to_json(self) -> Mapping[str, Any]:
        return self.weights

    @classmethod
    def from_json(cls, weights: Mapping[str, Any]) -> "_Weights":
        return cls(weights)


@pytest.fixture(autouse=True)
def _small_models(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CDP_DATA = tmp_path
    monkeypatch.setattr(learned, "LearnedMatcher", _Weights, raising=False)


def _model(version: int = 1) -> MatchModel:
    model = MatchModel.objects.create(version=version, created_by="nok")
    model_files.save(model, _Weights({"bias": -3.5, "fields": {"given": float(version)}}))
    return MatchModel.objects.get(pk=model.pk)


def test_what_is_saved_comes_back() -> None:
    model = _model()
    assert model_files.load(model).weights == {"bias": -3.5, "fields": {"given": 1.0}}
    assert model.file_bytes == model_files.path_of(model).stat().st_size


def test_only_the_platform_may_read_it_and_nothing_partial_stays(tmp_path: Path) -> None:
    model = _model()
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["1.json"]
    assert model_files.path_of(model).stat().st_mode & 0o077 == 0
    assert model_files.folder().stat().st_mode & 0o077 == 0


def test_a_file_with_any_byte_flipped_is_refused_with_how_to_mend_it() -> None:
    model = _model()
    path = model_files.path_of(model)
    good = path.read_bytes()
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(RefusedModel, match="model 1 was changed or damaged") as refused:
            model_files.load(model)
    assert "train_matching" in str(refused.value.hint)
    path.write_bytes(good)
    assert model_files.load(model).weights["bias"] == -3.5


@pytest.mark.parametrize("change", [lambda data: data + b" ", lambda data: data[:-1], lambda data: b""])
def test_a_longer_shorter_or_empty_file_is_refused(change: Any) -> None:
    model = _model()
    path = model_files.path_of(model)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(RefusedModel):
        model_files.load(model)


def test_another_versions_file_in_its_place_is_refused() -> None:
    first, second = _model(1), _model(2)
    model_files.path_of(second).replace(model_files.path_of(first))
    with pytest.raises(RefusedModel):
        model_files.load(first)
    assert second.file_mac != first.file_mac


def test_a_file_that_is_not_there_is_refused() -> None:
    model = _model()
    model_files.path_of(model).unlink()
    with pytest.raises(RefusedModel, match="cannot be read"):
        model_files.load(model)


def test_a_file_of_another_version_of_the_platform_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _model()

    def unreadable(_weights: Mapping[str, Any]) -> None:
        raise learned.UnreadableModel("it is of format 0")

    monkeypatch.setattr(_Weights, "from_json", unreadable)
    with pytest.raises(RefusedModel, match="another version of the platform"):
        model_files.load(model)


def test_a_model_that_never_had_a_file_is_refused() -> None:
    model = _model()
    model.file_mac = None
    with pytest.raises(RefusedModel):
        model_files.load(model)
