"""The model of matching that is in use, as a process has it.

`current` asks by one query of one row, each time: what another process takes into use counts from the next question on.
The file is read once per process and model.

Whoever takes a model into use or out of it holds the exclusive merge lock (`pipeline.take_merge_lock`): a digest step
asks under the shared one, so that none goes on with a model that was replaced before the step ends.
"""

import time
from dataclasses import dataclass

import structlog
from django.db import connection

from cdp_site.core.errors import Text
from cdp_site.core.memory import Memory
from profiles.matching import model_files
from profiles.matching.matcher import Matcher
from profiles.matching.model_files import RefusedModel
from profiles.models import MatchModel

log = structlog.get_logger("matching")

# A file that was refused may be put back; each look at it is a line in the log.
SECONDS_BETWEEN_TRIES = 30.0


@dataclass(frozen=True, slots=True)
class Active:
    """A model in use: from `attach` on records are joined, from `review` on a person is asked (both 0–1)."""

    model_id: int
    version: int
    attach: float
    review: float
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class Refused:
    """A model that is in use and cannot be used: its file is not the one that was written. Nothing is matched."""

    model_id: int
    version: int
    message: Text
    tried_at: float


_loaded: Memory[tuple[int, bytes], Matcher] = Memory()
_refused: Memory[tuple[int, bytes], Refused] = Memory()


def current() -> Active | None:
    """The model in use; None when there is none, or when its file is refused."""
    found = look()
    return found if isinstance(found, Active) else None


def look() -> Active | Refused | None:
    """The same, telling the two kinds of none apart. One query; a page shows `Refused.message` as an alert."""
    with connection.cursor() as cursor:  # asked with every step, also where nothing is ever matched
        cursor.execute(_IN_USE)
        row = cursor.fetchone()
    if row is None:
        return None
    model_id, version, mac, attach, review = row
    matcher = _matcher((model_id, bytes(mac or b"")))
    if isinstance(matcher, Refused):
        return matcher
    attach = 1.0 if attach is None else attach
    return Active(model_id, version, attach, attach if review is None else review, matcher)


_IN_USE = """
SELECT id, version, file_mac, attach_threshold, review_threshold FROM profiles_matchmodel WHERE status = 'active'
"""


def _matcher(key: tuple[int, bytes]) -> Matcher | Refused:
    """The model's matcher, remembered by the hash of its file: another file is another matcher."""
    if (matcher := _loaded.get(key)) is not None:
        return matcher
    refused = _refused.get(key)
    if refused is not None and time.monotonic() - refused.tried_at < SECONDS_BETWEEN_TRIES:
        return refused
    row = MatchModel.objects.get(pk=key[0])
    try:
        matcher = model_files.load(row)
    except RefusedModel as problem:
        log.exception("model_refused", model=row.pk, version=row.version)
        refused = Refused(row.pk, row.version, problem.message, time.monotonic())
        _refused.clear()
        _refused[key] = refused
        return refused
    _loaded.clear()
    _loaded[key] = matcher
    return matcher
