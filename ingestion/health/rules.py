"""What is watched at a source."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from cdp_site.core import audit
from cdp_site.core.models import User
from ingestion.models import Source, WatchRule


def of_source(source: Source) -> WatchRule:
    """Its rule, or the defaults. One query."""
    return WatchRule.objects.filter(pk=source.pk).first() or WatchRule(source=source)


@transaction.atomic
def change(*, source: Source, values: Mapping[str, Any], by: User | str) -> frozenset[str]:
    """Set fields of its rule; returns the names of those that changed, which are in the audit. Holds from the next
    look at the source, within a minute."""
    rule, _is_new = WatchRule.objects.select_for_update().get_or_create(source=source)
    changed = frozenset(name for name, value in values.items() if getattr(rule, name) != value)
    if changed:
        for name in changed:
            setattr(rule, name, values[name])
        rule.save(update_fields=changed)
        audit.record(action="watch_rule.change", target=source, by=by, fields=changed)
    return changed
