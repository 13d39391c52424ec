"""What every message is held against: pinned schemas and active correction rules, remembered by each process.

`refresh` asks once a step, by one query of one row, whether anything changed; `bump` says so, in the transaction of
the change, to every process.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import F

from cdp_site.core import memory
from ingestion.corrections import rules
from ingestion.corrections.rules import Rule
from ingestion.models import CorrectionRule, PlanSchema, Rulebook
from ingestion.plan import schema
from ingestion.plan.schema import Check


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """A rule that is applied. `event` "" means any; `reason` "" means every message, before it is checked."""

    key: UUID
    source_id: int
    reason: str
    event: str
    rule: Rule

    def is_about(self, event: str) -> bool:
        return self.event in ("", event)


@dataclass(frozen=True, slots=True)
class Book:
    """`checks`: event → check by its pinned schema. `before`: source → rules for every message. `after`: (source,
    reason) → rules for what was found unusable. Rules in their order."""

    version: int = -1
    checks: Mapping[str, Check] = field(default_factory=dict)
    before: Mapping[int, tuple[ActiveRule, ...]] = field(default_factory=dict)
    after: Mapping[tuple[int, str], tuple[ActiveRule, ...]] = field(default_factory=dict)


_EMPTY = Book()
_remembered: memory.Memory[str, Book] = memory.Memory()


def current() -> Book:
    """As it was when this process last asked."""
    return _remembered.get("book", _EMPTY)


def refresh() -> Book:
    """As it is now; one query, three more after a change."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM ingestion_rulebook")
        (version,) = cursor.fetchone()
    if version != current().version:
        # Read behind the version: what changes between the two is read again after the next question.
        _remembered["book"] = _read(version)
    return current()


def bump() -> None:
    """In the transaction of a change: every process reads anew once it is committed. Changes wait for one another."""
    Rulebook.objects.update(version=F("version") + 1)


def _read(version: int) -> Book:
    checks = {row.event: schema.compile_schema(row.schema) for row in PlanSchema.objects.pinned()}
    before: dict[int, list[ActiveRule]] = defaultdict(list)
    after: dict[tuple[int, str], list[ActiveRule]] = defaultdict(list)
    for row in CorrectionRule.objects.active().in_order():
        active = of_row(row)
        if active.reason:
            after[active.source_id, active.reason].append(active)
        else:
            before[active.source_id].append(active)
    return Book(
        version,
        checks,
        {source_id: tuple(found) for source_id, found in before.items()},
        {scope: tuple(found) for scope, found in after.items()},
    )


def of_row(row: CorrectionRule) -> ActiveRule:
    """A stored rule, ready to be applied."""
    return ActiveRule(row.key, row.source_id, row.reason, row.event, rules.parse(row.definition))


def with_candidate(book: Book, candidate: ActiveRule) -> Book:
    """The book as it would be with a rule that is not saved yet, or saved differently: it takes its rule's place, or
    the last one."""
    book = without(book, candidate.key)
    before, after = dict(book.before), dict(book.after)
    if candidate.reason:
        scope = (candidate.source_id, candidate.reason)
        after[scope] = (*after.get(scope, ()), candidate)
    else:
        before[candidate.source_id] = (*before.get(candidate.source_id, ()), candidate)
    return Book(book.version, book.checks, before, after)


def without(book: Book, key: UUID) -> Book:
    """The book without one rule."""
    return Book(
        book.version,
        book.checks,
        {scope: tuple(rule for rule in found if rule.key != key) for scope, found in book.before.items()},
        {scope: tuple(rule for rule in found if rule.key != key) for scope, found in book.after.items()},
    )
