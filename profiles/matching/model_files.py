"""Files of models: CDP_DATA/models/<version>.json, weights and rules for keys, nobody's values.

A file counts only as long as it is byte for byte the one that was written here: its keyed hash is in the model's row,
under a key that the database does not hold. Nothing is ever loaded from outside; whatever is lost or damaged is made
again from the labels.
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cdp_site.core import hashing
from cdp_site.core.errors import ConflictProblem, InternalError, Text
from profiles.matching import learned
from profiles.models import MatchModel

MOST_BYTES: Final = 16 * 1024 * 1024  # a model has some ten kilobytes; what is larger is not one, and is not read
_HINT: Final = _(
    "Train a new model from the labels, with the button on the page of models or with "
    "`python3 manage.py train_matching`; then look at its trial and take it into use."
)


class RefusedModel(ConflictProblem):
    """A model's file is not there, or not as we wrote it: it is not used."""

    code = "refused_model"

    def __init__(self, message: Text) -> None:
        super().__init__(message, hint=_HINT)


def folder() -> Path:
    """CDP_DATA/models; made with no access for others."""
    path: Path = settings.CDP_DATA / "models"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(model: MatchModel) -> Path:
    return folder() / f"{model.version}.json"


def save(model: MatchModel, matcher: "learned.LearnedMatcher") -> None:
    """Write the model's file; the row remembers its hash. On disk, whole or not at all, when this returns."""
    data = msgspec.json.encode(matcher.to_json())
    if len(data) > MOST_BYTES:
        raise InternalError(f"model {model.version} has {len(data)} bytes")
    path = path_of(model)
    partial = path.with_suffix(".partial")
    with open(partial, "wb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    _sync(path.parent)
    model.file_mac = hashing.mac(data, purpose=_purpose(model))
    model.file_bytes = len(data)
    model.save(update_fields=["file_mac", "file_bytes"])


def load(model: MatchModel) -> "learned.LearnedMatcher":
    """The model as it was learned. Raises RefusedModel when its file is gone, differs by a single byte or is of a
    version of the platform that compared other things."""
    path = path_of(model)
    values = {"version": model.version}
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RefusedModel(_("The file of model %(version)s cannot be read.") % values) from error
    if model.file_mac is None or not hashing.is_ours(data, bytes(model.file_mac), purpose=_purpose(model)):
        raise RefusedModel(
            _("The file of model %(version)s was changed or damaged since it was written; it is not used.") % values
        )
    try:
        return learned.LearnedMatcher.from_json(msgspec.json.decode(data))
    except learned.UnreadableModel as error:
        raise RefusedModel(
            _("Model %(version)s was trained by another version of the platform, which compared other fields.") % values
        ) from error


def _purpose(model: MatchModel) -> str:
    """The file of one version in the place of another's is refused, too."""
    return f"match-model {model.version}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(directory: Path) -> None:
    """So that the new name outlives a power cut."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
