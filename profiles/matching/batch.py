"""A run of matching over everything or over what changed, real or as a trial of a model: from keys to links.

Four phases, each in portions of a transaction: *keys* gives changed records their blocking keys; *scoring* compares the
records that share one and keeps the pairs that are alike; *deciding* takes the customers of whom the model is sure,
component by component, and joins, parts, or asks (`planning`); *asking* lets a person see to the rest (`doubts`), two
customers at a time, however many such pairs may hang together. A portion commits with the place that it reached: killed
at any point, the run goes on behind it and ends the same. A trial writes no keys, links or questions, only what it
would change.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.core.errors import InternalError
from profiles.matching import block_keys, blocks, records
from profiles.matching.active import Active
from profiles.matching.album import Album
from profiles.matching.asking import Pair
from profiles.matching.blocks import Blocks
from profiles.matching.components import Components
from profiles.matching.deciding import Decider
from profiles.matching.doubts import Doubts
from profiles.matching.planning import Scored
from profiles.models import MatchModel, MatchRun

# Portions, each well below a second: what is committed is safe, and nobody waits long for a lock.
KEYS_AT_ONCE: Final = 1_000
PAIRS_AT_ONCE: Final = 20_000
RECORDS_AT_ONCE: Final = 500
PROFILES_AT_ONCE: Final = 300
DOUBTS_AT_ONCE: Final = 500

MOST_ASKED: Final = 20_000  # about how many questions one run puts: a week of a person's work

_KEYS_MADE: Final = "keys_made"  # in the cursor of a run that has made them: by which secret


class Phase(StrEnum):
    """In their order."""

    KEYS = "keys"
    SCORING = "scoring"
    DECIDING = "deciding"
    ASKING = "asking"


class StoppedError(Exception):
    """The run was cancelled, or ended by somebody else: what the portion did is rolled back."""


class ReplacedError(Exception):
    """Another model is in use now: what this one thinks does not matter any more."""


Listener = Callable[[MatchRun], None]


class Batch:
    """One run in one process.

    Args:
        run: moved on with each portion.
        model: the one in use, or for a trial the one that is tried.
        listen: told after each portion.
    """

    def __init__(self, run: MatchRun, model: Active, *, listen: Listener = lambda _run: None) -> None:
        self.run = run
        self.model = model
        self.is_trial = run.kind == MatchRun.Kind.SHADOW
        self._listen = listen
        self._album = Album()
        self._collector = blocks.Collector()
        self._noted_at = time.monotonic()

    def carry_through(self, *, until: float = math.inf) -> bool:
        """Work until the end, or until that time of `time.monotonic`; False when there is more to do. Raises
        StoppedError, ReplacedError."""
        phases = {
            Phase.KEYS: self._keys,
            Phase.SCORING: self._score,
            Phase.DECIDING: self._decide,
            Phase.ASKING: self._ask,
        }
        begun = Phase(self.run.cursor.get("phase", Phase.KEYS))
        if self.is_trial and begun is Phase.SCORING:
            for _portion in self._collect():  # its keys are in no table: they are made again
                pass
        for phase in list(phases)[list(phases).index(begun) :]:
            for _portion in phases[phase]():
                self._listen(self.run)
                # A trial's keys are in this process alone: what is broken off there is lost.
                if time.monotonic() >= until and not (self.is_trial and phase is Phase.KEYS):
                    return False
        return True

    # --- noting -------------------------------------------------------------------------------------------------------

    def _hold(self) -> None:
        """Lock the run's row for this portion. Raises StoppedError, ReplacedError."""
        held = MatchRun.objects.select_for_update().get(pk=self.run.pk)
        if held.status != MatchRun.Status.RUNNING or held.cancel_asked:
            raise StoppedError
        in_use = MatchModel.objects.filter(pk=self.model.model_id, status=MatchModel.Status.ACTIVE)
        if not self.is_trial and not in_use.exists():
            raise ReplacedError

    def _enter(self, phase: Phase, total: int, **cursor: Any) -> None:
        """Begin a phase, unless the run is in it already."""
        if self.run.cursor.get("phase") == phase:
            return
        with transaction.atomic():
            self._hold()
            self.run.phase, self.run.done, self.run.total = phase, 0, total
            kept = {name: value for name, value in self.run.cursor.items() if name not in ("after", "attempts")}
            self.run.cursor = {**kept, "phase": phase, "after": 0, **cursor}
            self._save()

    def _note(self, *, after: int, done: int, **counts: int) -> None:
        """How far the portion came; in its transaction."""
        self.run.cursor = {**self.run.cursor, "after": after, "attempts": 0}
        self.run.done += done
        report = {name: value for name, value in self.run.report.items() if isinstance(value, int)}
        self.run.report = {**self.run.report, **(Counter(report) + Counter(counts))}
        self._save()

    def _save(self) -> None:
        now = time.monotonic()
        self.run.report["seconds"] = round(self.run.report.get("seconds", 0.0) + now - self._noted_at, 3)
        self._noted_at = now
        self.run.beat_at = timezone.now()
        self.run.save(update_fields=["phase", "done", "total", "cursor", "report", "beat_at"])

    @property
    def _after(self) -> int:
        return int(self.run.cursor.get("after", 0))

    # --- keys ---------------------------------------------------------------------------------------------------------

    def _keys(self) -> Iterator[None]:
        if self.is_trial:
            self._enter(Phase.KEYS, _count(self.run), after=0)
            yield from self._collect(notes=True)
        elif self.run.cursor.get("phase") is None and self.run.everything and keys_stand(self.model.model_id):
            self._enter(Phase.KEYS, 0)
        else:
            self._enter(Phase.KEYS, _count(self.run))
            yield from self._make_keys()

    def _make_keys(self) -> Iterator[None]:
        for page in _pages(self.run, after=self._after, at_once=KEYS_AT_ONCE):
            with transaction.atomic():
                block_keys.hold(page)
                found = records.read(page)
                keys_of = {number: self.model.matcher.keys(record) for number, record in found.items()}
                block_keys.replace(keys_of)
                self._hold()
                self._note(after=page[-1], done=len(page), keys=sum(map(len, keys_of.values())))
            self._album.keep(found)
            yield

    def _collect(self, *, notes: bool = False) -> Iterator[None]:
        """Keys of all records for this process alone."""
        self._collector = blocks.Collector()
        if notes:  # a trial that was killed begins them anew
            self.run.done, self.run.report = 0, {}
        for page in _pages(self.run, after=0, at_once=KEYS_AT_ONCE):
            found = records.read(page)
            keys_of = {number: self.model.matcher.keys(record) for number, record in found.items()}
            self._collector.add(keys_of)
            self._album.keep(found)
            if notes:
                with transaction.atomic():
                    self._hold()
                    self._note(after=page[-1], done=len(page), keys=sum(map(len, keys_of.values())))
            yield

    # --- scoring ------------------------------------------------------------------------------------------------------

    def _score(self) -> Iterator[None]:
        if self.run.everything:
            found = self._collector.blocks() if self.is_trial else blocks.stored()
            made = {} if self.is_trial else {_KEYS_MADE: hashing.current_key_id()}
            self._enter(Phase.SCORING, len(found.records), **made)
            self._count_keyless(found)
            yield from self._score_blocks(found)
        else:
            self._enter(Phase.SCORING, _count(self.run))
            yield from self._score_changed()

    def _count_keyless(self, found: Blocks) -> None:
        total = _count(self.run)
        self.run.report |= {"records": total, "without_key": max(0, total - len(found.records)) + found.drowned}

    def _score_blocks(self, found: Blocks) -> Iterator[None]:
        for portion in found.portions(after=self._after, at_once=PAIRS_AT_ONCE):
            pairs = list(map(Pair, portion.a.tolist(), portion.b.tolist()))
            self._keep(pairs, after=portion.last, done=portion.looked_at)
            yield

    def _score_changed(self) -> Iterator[None]:
        for page in _pages(self.run, after=self._after, at_once=RECORDS_AT_ONCE):
            comparable = self._album.of(page)
            keys_of = {number: self.model.matcher.keys(record) for number, record in comparable.items()}
            near = block_keys.candidates(keys_of, besides=_siblings(page))
            pairs = {Pair.of(number, other) for number, others in near.items() for other, _weight in others}
            keyless = sum(not keys for keys in keys_of.values())
            self._keep(sorted(pairs), after=page[-1], done=len(page), records=len(page), without_key=keyless)
            yield

    def _keep(self, pairs: list[Pair], *, after: int, done: int, **counts: int) -> None:
        """Compare, and keep what is alike."""
        scored = self._scores(pairs)
        alike = [one for one in scored if one.score >= self.model.review]
        with transaction.atomic():
            self._hold()
            if alike:
                with connection.cursor() as cursor:
                    a, b = [one.pair.a for one in alike], [one.pair.b for one in alike]
                    cursor.execute(_KEEP, [self.run.pk, a, b, [one.score for one in alike]])
            self._note(after=after, done=done, pairs=len(scored), **counts)

    def _scores(self, pairs: Iterable[Pair]) -> list[Scored]:
        wanted = list(pairs)
        comparable = self._album.of({number for pair in wanted for number in pair})
        known = [pair for pair in wanted if pair.a in comparable and pair.b in comparable]
        if not known:
            return []
        scores = self.model.matcher.score([(comparable[a], comparable[b]) for a, b in known])
        return [Scored(pair, float(score)) for pair, score in zip(known, scores, strict=True)]

    # --- deciding -----------------------------------------------------------------------------------------------------

    def _decide(self) -> Iterator[None]:
        components = Components(self.run, attach=self.model.attach)
        self._enter(Phase.DECIDING, len(components))
        decider = self._decider()
        for portion in components.portions(after=self._after, at_once=PROFILES_AT_ONCE):
            plans = decider.plans(portion)
            with transaction.atomic():
                if plans and not self.is_trial:
                    decider.lock()
                self._hold()
                counts = decider.carry_out(plans) if plans else {}
                self._note(after=portion.last, done=len(portion.components), **counts)
            yield

    def _ask(self) -> Iterator[None]:
        doubts = Doubts(self.run, most=MOST_ASKED)
        if self.run.cursor.get("phase") != Phase.ASKING:
            self.run.report |= {"unasked": doubts.left_out}
        self._enter(Phase.ASKING, len(doubts))
        decider = self._decider()
        for portion in doubts.portions(after=self._after, at_once=DOUBTS_AT_ONCE):
            with transaction.atomic():
                if not self.is_trial:
                    decider.lock()
                self._hold()
                self._note(after=portion.last, done=len(portion.doubts), **decider.ask(portion.doubts))
            yield

    def _decider(self) -> Decider:
        return Decider(self.run, self.model, self._album, self._scores)


# --- which records ----------------------------------------------------------------------------------------------------

_ALL = """
SELECT id FROM profiles_sourcerecord WHERE id > %(after)s AND kind = 'identified' ORDER BY id LIMIT %(most)s
"""
_CHANGED = """
SELECT record_id FROM profiles_runrecord WHERE run_id = %(run)s AND record_id > %(after)s
 ORDER BY record_id LIMIT %(most)s
"""
_COUNT_ALL = "SELECT count(*) FROM profiles_sourcerecord WHERE kind = 'identified'"
_COUNT_CHANGED = "SELECT count(*) FROM profiles_runrecord WHERE run_id = %(run)s"
_KEEP = """
INSERT INTO profiles_scoredpair (run_id, record_a_id, record_b_id, score)
SELECT %s, t.a, t.b, t.score FROM unnest(%s::bigint[], %s::bigint[], %s::float8[]) AS t(a, b, score)
  JOIN profiles_sourcerecord a ON a.id = t.a JOIN profiles_sourcerecord b ON b.id = t.b
"""
_SIBLINGS = """
SELECT m.record_id, s.record_id FROM unnest(%s::bigint[]) AS wanted(id)
  JOIN profiles_membership m ON m.record_id = wanted.id AND m.valid_to IS NULL
  JOIN profiles_membership s ON s.profile_id = m.profile_id AND s.valid_to IS NULL AND s.record_id <> m.record_id
"""


def _pages(run: MatchRun, *, after: int, at_once: int) -> Iterator[list[int]]:
    """The records that the run looks at, by ascending id."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_ALL if run.everything else _CHANGED, {"run": run.pk, "after": after, "most": at_once})
            page = [number for (number,) in cursor.fetchall()]
        if not page:
            return
        yield page
        after = page[-1]


def _count(run: MatchRun) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_ALL if run.everything else _COUNT_CHANGED, {"run": run.pk})
        row = cursor.fetchone()
    if row is None:
        raise InternalError("a count without a row")
    return int(row[0])


def _siblings(page: list[int]) -> Mapping[int, list[int]]:
    """What evidence has joined need not be compared."""
    found: dict[int, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SIBLINGS, [page])
        for number, sibling in cursor.fetchall():
            found.setdefault(number, []).append(sibling)
    return found


def keys_stand(model_id: int) -> bool:
    """Whether the table holds all records' keys of this model, under the secret of now: the last run to make them made
    its, and the model has been in use since then. While it is not, nobody writes keys of what arrives."""
    made = MatchRun.objects.filter(kind=MatchRun.Kind.BATCH, cursor__has_key=_KEYS_MADE).newest_first()
    last = made.values_list("model", "cursor", "model__activated_at", "started_at").first()
    if last is None or (last[0], last[1][_KEYS_MADE]) != (model_id, hashing.current_key_id()):
        return False
    _model, _cursor, activated_at, started_at = last
    return activated_at is None or started_at >= activated_at
