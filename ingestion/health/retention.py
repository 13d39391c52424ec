"""How long what came raw is kept: held-back messages, imported files, rows of received batches.

A chore removes what is past its days, in small transactions and within a time budget; killed at any point it has done
whole portions, and the next run goes on with what is left. What was removed stays counted: batches in the roll-up,
messages and files in `RemovedByRetention`, by source and day.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.models import User
from ingestion.files import importer
from ingestion.health import rejections, rollup
from ingestion.models import FileImport, QuarantinedItem, RejectedHour, RemovedByRetention, RetentionRule, Source
from ingestion.querysets import FileImportQuerySet, QuarantinedItemQuerySet, SourceQuerySet

log = structlog.get_logger("retention")

ACTOR: Final = "system:retention"
BUDGET_SECONDS: Final = 20.0  # of a run, every ten minutes: the database has time for others
MESSAGES_AT_ONCE: Final = 500
FILES_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Days:
    """For how many days each is kept."""

    quarantine_days: int
    file_days: int
    batch_days: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How much is past its days and would go with the next runs."""

    quarantine: int
    files: int
    batches: int


def defaults() -> Days:
    """What holds before anybody has chosen. Charts by the minute and the lists of received batches need their rows;
    accounts, charts by the hour and lag do not."""
    return Days(quarantine_days=90, file_days=settings.IMPORT_FILE_DAYS, batch_days=2)


# --- rules ----------------------------------------------------------------------------------------------------------


def rule_of(source: Source | None) -> RetentionRule:
    """The source's own rule, or the company's; one without numbers where nothing was chosen. One query."""
    return RetentionRule.objects.filter(source=source).first() or RetentionRule(source=source)


def company_days() -> Days:
    """One query."""
    return _with(rule_of(None), defaults())


def days_of(source: Source) -> Days:
    """Two queries."""
    return _with(rule_of(source), company_days())


def days_by_source() -> Callable[[int], Days]:
    """For many sources. One query."""
    rules = {rule.source_id: rule for rule in RetentionRule.objects.all()}
    company = _with(rules.get(None), defaults())
    return lambda source_id: _with(rules.get(source_id), company)


def replaced(days: Days, by: Mapping[str, int | None]) -> Days:
    """The days with other numbers where there are some."""
    return Days(**{name: by.get(name) or number for name, number in asdict(days).items()})


def sources_with_own_numbers() -> SourceQuerySet:
    """One query."""
    return Source.objects.with_own_retention()


def _with(rule: RetentionRule | None, otherwise: Days) -> Days:
    return otherwise if rule is None else replaced(otherwise, {name: getattr(rule, name) for name in asdict(otherwise)})


@transaction.atomic
def change(*, source: Source | None, days: Mapping[str, int | None], by: User | str) -> frozenset[str]:
    """Set a source's numbers, or the company's; None means what holds above it. Returns which changed; they are in the
    audit."""
    rule, _is_new = RetentionRule.objects.select_for_update().get_or_create(source=source)
    names = {field.name for field in fields(Days)}
    changed = frozenset(name for name in names & days.keys() if getattr(rule, name) != days[name])
    if changed:
        for name in changed:
            setattr(rule, name, days[name])
        rule.save(update_fields=changed)
        audit.record(action="retention.change", target=source or rule, by=by, fields=changed)
    return changed


# --- what is due ----------------------------------------------------------------------------------------------------


def due(source: Source, days: Days) -> Figures:
    """What the rule would remove now. Three queries."""
    now = timezone.now()
    return Figures(
        quarantine=_messages(source, now - timedelta(days=days.quarantine_days)).count(),
        files=_files(source, now - timedelta(days=days.file_days)).count(),
        batches=rollup.pending(source, before=now - timedelta(days=days.batch_days)),
    )


def due_of_company(days: Days) -> Figures:
    """Over all sources, each by its own numbers where it has some. Three queries for each source."""
    rules = {rule.source_id: rule for rule in RetentionRule.objects.exclude(source=None)}
    found = [due(source, _with(rules.get(source.pk), days)) for source in Source.objects.all()]
    return Figures(*(sum(getattr(one, field.name) for one in found) for field in fields(Figures)))


def _messages(source: Source, before: datetime) -> QuarantinedItemQuerySet:
    return QuarantinedItem.objects.of_source(source).held_before(before)


def _files(source: Source, before: datetime) -> FileImportQuerySet:
    return FileImport.objects.of_source(source).with_file().uploaded_before(before)


# --- removing -------------------------------------------------------------------------------------------------------


def remove_due(*, budget_seconds: float = BUDGET_SECONDS) -> Figures:
    """Remove what is past its days until nothing is or the budget is spent; returns how much went. Run by the clock.

    A portion of each source and kind in turn, so that one with a mountain does not keep the others waiting.
    """
    until = time.monotonic() + budget_seconds
    days, now = days_by_source(), timezone.now()
    removed: Counter[str] = Counter()
    tasks = [task for source in Source.objects.order_by("pk") for task in _tasks(source, days(source.pk), now)]
    while tasks and time.monotonic() < until:
        tasks = [task for task in tasks if time.monotonic() < until and _counted(task, removed)]
    RejectedHour.objects.before(now - timedelta(days=rejections.DAYS)).delete()
    if removed.total():
        log.info("retention.removed", **removed)
    return Figures(**{field.name: removed[field.name] for field in fields(Figures)})


_Task = tuple[str, Callable[[], int]]


def _tasks(source: Source, days: Days, now: datetime) -> list[_Task]:
    """What removes one portion, and says how much that was; batches last, since those with held-back messages stay."""
    return [
        ("quarantine", lambda: _remove_messages(source, now - timedelta(days=days.quarantine_days))),
        ("files", lambda: _remove_files(source, now - timedelta(days=days.file_days))),
        ("batches", lambda: rollup.roll_up(source, before=now - timedelta(days=days.batch_days))),
    ]


def _counted(task: _Task, removed: Counter[str]) -> bool:
    """Whether the task had something to do."""
    name, remove = task
    n = remove()
    removed[name] += n
    return n > 0


@transaction.atomic
def _remove_messages(source: Source, before: datetime) -> int:
    """The oldest ones, with what they say and why they were held. That they came stays counted as quarantined."""
    oldest = _messages(source, before).order_by("pk").values_list("pk", flat=True)[:MESSAGES_AT_ONCE]
    ids = list(oldest.select_for_update(skip_locked=True, of=("self",)))
    QuarantinedItem.objects.filter(pk__in=ids).delete()
    _note(source, RemovedByRetention.Kind.QUARANTINE, len(ids))
    return len(ids)


def _remove_files(source: Source, before: datetime) -> int:
    """Each in its own transaction; a file leaves the disk after it. Killed in between, the file is a stray, which
    `importer.remove_strays` finds."""
    found = list(_files(source, before).order_by("pk")[:FILES_AT_ONCE])
    for file_import in found:
        with transaction.atomic():
            remove = importer.forget_file(file_import)
            _note(source, RemovedByRetention.Kind.FILE, 1)
        remove()
    return len(found)


_NOTE = """
INSERT INTO ingestion_removedbyretention AS kept (source_id, day, kind, n) VALUES (%s, %s, %s, %s)
ON CONFLICT (source_id, kind, day) DO UPDATE SET n = kept.n + excluded.n
RETURNING n = %s
"""


def _note(source: Source, kind: str, n: int) -> None:
    """Count what was removed, in the transaction of the removal; the first of a day is in the audit."""
    if not n:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [source.pk, timezone.localdate(), kind, n, n])
        (is_first,) = cursor.fetchone()
    if is_first:
        audit.record(action="retention.remove", target=source, by=ACTOR, fields=[kind])
