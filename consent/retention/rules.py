"""Writing the rules of retention, with who did it in the audit."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum

from cdp_site.core import audit
from cdp_site.core.models import User
from consent.models import KeepingRule
from profiles.models import EventType, KindOfData, TraitGroup


def all_rules() -> "QuerySet[Any, Any]":
    """Every rule with `removed_n`, how much has gone by it. One query."""
    return KeepingRule.objects.select_related("event_type", "trait_group").annotate(removed_n=Sum("removed__n"))


def groups() -> "QuerySet[TraitGroup]":
    """Groups whose values may have days of their own. What identifies a customer goes with the customer."""
    return TraitGroup.objects.exclude(kind_of_data=KindOfData.IDENTITY)


@transaction.atomic
def save(
    *, kind: str, event_type: EventType | None, trait_group: TraitGroup | None, days: int, by: User
) -> KeepingRule:
    """Set the days; a rule about the same is changed. What is past them goes with the next runs."""
    rule, is_new = KeepingRule.objects.select_for_update().get_or_create(
        kind=kind, event_type=event_type, trait_group=trait_group, defaults={"days": days}
    )
    if is_new or rule.days != days:
        rule.days, rule.position, rule.passed_on = days, 0, None
        rule.save()
        audit.record(action="retention.rule", target=rule, by=by, fields=["days"])
    return rule


@transaction.atomic
def remove(*, rule: KeepingRule, by: User) -> None:
    """From now on nothing goes by it; what has gone stays gone."""
    audit.record(action="retention.rule_remove", target=rule, by=by)
    rule.delete()
