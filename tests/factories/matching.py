"""Models of matching that were never learned: what they say follows from a table, so that a test can foresee it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from profiles.matching import model_files, runs
from profiles.matching.matcher import Comparable, Explanation, FieldEvidence, Matcher
from profiles.models import MatchModel, MatchRun

PRIOR = -3.0
# Log-odds of a field that agrees, and of one that both know and that differs. A name alone reaches the band of review,
# with one more field it is attached: name + birth date .99, name + phone or e-mail .98, birth date + phone .96.
WEIGHTS: Mapping[str, tuple[float, float]] = {
    "names": (4.0, -6.0),
    "birth_dates": (4.0, -6.0),
    "phones": (3.0, -0.5),
    "emails": (3.0, -0.5),
}
ATTACH, REVIEW = 0.9, 0.6

_numbers = itertools.count(1)
_fakes: dict[bytes, Matcher] = {}


class FakeMatcher:
    """Compares fields as sets: one value in common agrees. Names are given and family name together.

    Args:
        weights: other weights than the table's, by field: what another training may have found.
        prior: log-odds of two records of which nothing is known.
    """

    def __init__(self, *, prior: float = PRIOR, **weights: tuple[float, float]) -> None:
        self.prior = prior
        self.weights = {**WEIGHTS, **weights}

    def keys(self, record: Comparable) -> frozenset[str]:
        """Phones, e-mails, given with family name."""
        return frozenset(
            f"{field}:{value}" for field in ("phones", "emails", "names") for value in _values(record, field)
        )

    def score(self, pairs: Sequence[tuple[Comparable, Comparable]]) -> list[float]:
        return [self.explain(a, b).score for a, b in pairs]

    def explain(self, a: Comparable, b: Comparable) -> Explanation:
        return Explanation(self.prior, tuple(self._evidence(a, b)))

    def _evidence(self, a: Comparable, b: Comparable) -> Iterator[FieldEvidence]:
        for field, (agreeing, differing) in self.weights.items():
            some, other = _values(a, field), _values(b, field)
            if some and other:
                yield FieldEvidence(field, differing if some.isdisjoint(other) else agreeing)


def _values(record: Comparable, field: str) -> set[str]:
    if field == "names":
        parts = ((given, family) for given in record.get("given") or () for family in record.get("family") or ())
        return {f"{given} {family}".casefold() for given, family in parts}
    return set(record.get(field) or ())


def make_model(matcher: Matcher, *, attach: float = ATTACH, review: float = REVIEW, **fields: Any) -> MatchModel:
    """A model that is ready, with the matcher in place of a file."""
    number = next(_numbers)
    mac = f"fake-{number}".encode().ljust(32, b"\0")
    _fakes[mac] = matcher
    last = MatchModel.objects.order_by("-version").values_list("version", flat=True).first() or 0
    given = {"status": MatchModel.Status.READY, "file_bytes": 1, "created_by": "system:test", **fields}
    return MatchModel.objects.create(
        version=last + 1, attach_threshold=attach, review_threshold=review, file_mac=mac, **given
    )


def activate(matcher: Matcher | None = None, *, attach: float = ATTACH, review: float = REVIEW) -> MatchModel:
    """Put the matcher in use in place of what is, as far as matching sees it: nothing is matched or given keys anew."""
    now = timezone.now()
    MatchModel.objects.filter(status=MatchModel.Status.ACTIVE).update(status=MatchModel.Status.RETIRED, ended_at=now)
    return make_model(
        matcher or FakeMatcher(),
        attach=attach,
        review=review,
        status=MatchModel.Status.ACTIVE,
        activated_at=now,
        activated_by="system:test",
    )


def match(*, everything: bool = False, trial_of: MatchModel | None = None) -> MatchRun:
    """A whole run, or trial of a model, in this process."""
    begun = runs.start(by="system:test", everything=everything, trial_of=trial_of)
    runs.run(str(begun.pk))
    begun.refresh_from_db()
    return begun


_load_file = model_files.load


def _load(model: MatchModel) -> Matcher:
    """The matcher that a model of these factories stands for; of any other model what its file says."""
    return _fakes.get(bytes(model.file_mac or b"")) or _load_file(model)


patch.object(model_files, "load", _load).start()
