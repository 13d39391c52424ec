"""Trying a rule on messages that are held back, before it is saved."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from cdp_site.core import audit, hashing
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from ingestion import quarantine, rulebook, wording
from ingestion.corrections import arrivals, replaying, rules
from ingestion.messages import Rejection
from ingestion.models import QuarantinedItem
from ingestion.quarantine import Selection
from ingestion.rulebook import ActiveRule

TRIED: Final = 500  # newest messages of the group
SHOWN: Final = 5
LONGEST: Final = 4_000  # characters of a sample


@dataclass(frozen=True, slots=True)
class Sample:
    """A message before and after the rule; `problem` says why it still cannot be used, None when it can."""

    item: QuarantinedItem
    before: str
    after: str
    changed: bool
    problem: Text | None


@dataclass(frozen=True, slots=True)
class Trial:
    """`n_passing` of `n_tried` messages, the newest of the group's `n_held`, could be used with the rule; `n_before` of
    them without it."""

    n_held: int
    n_tried: int
    n_before: int
    n_passing: int
    samples: tuple[Sample, ...]
    is_masked: bool


def run(*, selection: Selection, definition: dict[str, Any], reason: str, event: str, key: UUID, by: User) -> Trial:
    """Try a rule (`reason` "": on every message) in place of the saved one of this key, with all others as they are.
    Changes no message; leaves one audit row, since samples are shown. Raises InvalidRule."""
    candidate = ActiveRule(key, selection.source.pk, reason, event, rules.parse(definition))
    book = rulebook.refresh()
    without, with_it = rulebook.without(book, key), rulebook.with_candidate(book, candidate)
    held = selection.items
    items = list(held.newest_first().with_place()[:TRIED])
    batches = replaying.batches_of(items)
    is_masked = not quarantine.sees_content(by)
    n_before = n_passing = 0
    tried: list[tuple[tuple[bool, bool], int, QuarantinedItem, bytes, bytes, bytes | Rejection]] = []
    for item in items:
        batch = batches.get(item.batch_id)
        if batch is None or item.payload is None:
            continue
        raw = hashing.unseal(bytes(item.payload))
        n_before += not isinstance(arrivals.fate(batch, raw, item.position, book=without), Rejection)
        verdict = arrivals.fate(batch, raw, item.position, book=with_it)
        n_passing += not isinstance(verdict, Rejection)
        after = verdict if isinstance(verdict, bytes) else arrivals.corrected_by(candidate, raw) or raw
        rank = (after == raw, isinstance(verdict, Rejection))
        tried.append((rank, len(tried), item, raw, after, verdict))
    # What the rule changes is shown first, and of that what would pass.
    samples = [
        _sample(item, raw, after, verdict, is_masked=is_masked)
        for _rank, _place, item, raw, after, verdict in heapq.nsmallest(SHOWN, tried)
    ]
    if samples:
        _note(selection, samples, is_masked=is_masked, by=by)
    return Trial(held.count(), len(items), n_before, n_passing, tuple(samples), is_masked)


def _sample(
    item: QuarantinedItem, before: bytes, after: bytes, verdict: bytes | Rejection, *, is_masked: bool
) -> Sample:
    problem = wording.problem(verdict.reason, verdict.detail) if isinstance(verdict, Rejection) else None
    written = quarantine.form_of if is_masked else quarantine.legible
    return Sample(item, written(before)[:LONGEST], written(after)[:LONGEST], after != before, problem)


@transaction.atomic
def _note(selection: Selection, samples: Sequence[Sample], *, is_masked: bool, by: User) -> None:
    """One row for the samples together: they are of one group, the newest one's key tells which."""
    target = (QuarantinedItem._meta.label, f"{selection.source.pk}:{selection.reason}:{samples[0].item.pk}")
    action = "quarantine.try_rule_masked" if is_masked else "quarantine.try_rule"
    audit.record(action=action, target=target, by=by, fields=["payload"])
