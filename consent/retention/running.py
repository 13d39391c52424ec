"""Counting what the rules would remove, and removing it by the clock.

A run works off portions, each rule in turn, until every rule has come to its end for the day or the time is over. Each
portion is a transaction of its own: a run that is killed has done whole portions, and the next one goes on behind them.
"""

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction
from django.utils import timezone

from cdp_site.core import audit
from consent.models import KeepingRule
from consent.retention import people, touchpoints, values

log = structlog.get_logger("retention")

ACTOR: Final = "system:retention"
BUDGET_SECONDS: Final = 20.0  # of a run, every ten minutes: the database has time for others

Kind = KeepingRule.Kind


def before_of(rule: KeepingRule) -> datetime:
    """What is older than this is past the rule's days."""
    return timezone.now() - timedelta(days=rule.days)


def count_due(rule: KeepingRule) -> int:
    """How many touchpoints, values or people the rule would remove if it ran now; changes nothing. It may be one that
    was not saved."""
    before = before_of(rule)
    match Kind(rule.kind):
        case Kind.TOUCHPOINTS:
            return touchpoints.due(rule, before).count()
        case Kind.TRAITS:
            return values.count_due(rule, before)
        case _:
            return people.due(rule, before).count()


def remove_due(*, budget_seconds: float = BUDGET_SECONDS) -> Counter[str]:
    """Remove what is past its days until every rule is through for today or the budget is spent; returns how much went
    of each kind. Run by the clock."""
    until = time.monotonic() + budget_seconds
    today = timezone.localdate()
    removed: Counter[str] = Counter()
    waiting = list(KeepingRule.objects.exclude(passed_on=today).select_related("event_type", "trait_group"))
    while waiting and time.monotonic() < until:
        for rule in list(waiting):
            n, is_through = _portion(rule, until)
            removed[rule.kind] += n
            if is_through:
                rule.position, rule.passed_on = 0, today
                rule.save(update_fields=["position", "passed_on"])
                waiting.remove(rule)
            if time.monotonic() >= until:
                break
    if removed.total():
        log.info("retention.removed", **removed)
    return +removed


def _portion(rule: KeepingRule, until: float) -> tuple[int, bool]:
    before = before_of(rule)
    match Kind(rule.kind):
        case Kind.TOUCHPOINTS:
            with transaction.atomic():
                n = touchpoints.remove(rule, before)
                _note(rule, n)
            return n, n < touchpoints.AT_ONCE
        case Kind.TRAITS:
            with transaction.atomic():
                n, is_last = values.remove(rule, before)
                _note(rule, n)
            return n, is_last
        case _:
            return _erase_portion(rule, before, until)


def _erase_portion(rule: KeepingRule, before: datetime, until: float) -> tuple[int, bool]:
    """One after the other, each an erasure of its own with its steps: at least one, then as many as there is time."""
    found, upto = people.portion(rule, before)
    n = 0
    for profile in found:
        erased = people.erase(profile)
        with transaction.atomic():
            rule.position = profile.pk
            rule.save(update_fields=["position"])
            _note(rule, int(erased))
        n += erased
        if time.monotonic() >= until:
            return n, False
    rule.position = rule.position if upto is None else upto
    rule.save(update_fields=["position"])
    return n, upto is None


_NOTE = """
INSERT INTO consent_removedbyrule AS kept (rule_id, day, n) VALUES (%s, %s, %s)
ON CONFLICT (rule_id, day) DO UPDATE SET n = kept.n + excluded.n
RETURNING n = %s
"""


def _note(rule: KeepingRule, n: int) -> None:
    """Count what was removed, in the transaction of the removal; the first of a day is in the audit."""
    if not n:
        return
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [rule.pk, timezone.localdate(), n, n])
        (is_first,) = cursor.fetchone()
    if is_first:
        audit.record(action="retention.remove", target=rule, by=ACTOR, fields=[rule.kind])
