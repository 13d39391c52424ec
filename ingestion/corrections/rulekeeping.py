"""Correction rules as people keep them: saved in versions, switched off and on, put in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from cdp_site.core import audit
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from ingestion import rulebook, wording
from ingestion.corrections import rule_form, rules
from ingestion.models import CorrectionRule, Source


@dataclass(frozen=True, slots=True)
class Line:
    """A rule in a list: its newest version, what it does, and where it stands among its source's."""

    rule: CorrectionRule
    sentences: list[str]
    reason: Text
    is_first: bool
    is_last: bool


def overview(*, by: User) -> list[Line]:
    """All rules of sources that the user may see, by source, in their order. Two queries."""
    found = CorrectionRule.objects.visible_to(by).newest_versions().with_people()
    return _lines(found.order_by("source__name", "source", "position"))


def about(source: Source, reason: str) -> list[Line]:
    """The active rules that a group's messages go through. One query."""
    return _lines(CorrectionRule.objects.of_source(source).active().for_reasons(reason).with_people().in_order())


def versions(rule: CorrectionRule) -> list[Line]:
    """All versions of a rule, the newest first. One query."""
    return _lines(CorrectionRule.objects.of_key(rule.key).with_people().order_by("-version"))


def _lines(found: Iterable[CorrectionRule]) -> list[Line]:
    rows = list(found)
    neighbours = zip([None, *rows], rows, [*rows[1:], None], strict=False)
    return [
        Line(
            rule=row,
            sentences=rule_form.sentences(row.definition),
            reason=wording.reason(row.reason) if row.reason else "",
            is_first=before is None or before.source_id != row.source_id,
            is_last=behind is None or behind.source_id != row.source_id,
        )
        for before, row, behind in neighbours
    ]


@transaction.atomic
def save(
    *, source: Source, key: UUID, name: str, reason: str, event: str, definition: dict[str, Any], by: User | str
) -> CorrectionRule:
    """Keep a rule, active from now on: the first version of a new `key`, or the next of a known one, which keeps its
    place. What says the same as the active version is no new one. Raises InvalidRule."""
    rules.parse(definition)
    rulebook.bump()  # first, so that two who save one rule wait for each other
    latest = CorrectionRule.objects.of_source(source).of_key(key).order_by("-version").first()
    said = {"name": name, "reason": reason, "event": event, "definition": definition}
    if latest is not None and latest.is_active and all(getattr(latest, field) == now for field, now in said.items()):
        return latest
    CorrectionRule.objects.of_key(key).active().update(is_active=False)
    place = CorrectionRule.objects.of_source(source).aggregate(last=Max("position", default=0))["last"] + 1
    rule = CorrectionRule.objects.create(
        key=key,
        version=latest.version + 1 if latest is not None else 1,
        source=source,
        position=latest.position if latest is not None else place,
        created_by=by if isinstance(by, User) else None,
        **said,
    )
    changed = [field for field, now in said.items() if latest is None or getattr(latest, field) != now]
    audit.record(action="correction_rule.save", target=rule, by=by, fields=[*changed, "is_active"])
    return rule


@transaction.atomic
def switch(*, rule: CorrectionRule, on: bool, by: User | str) -> bool:
    """Apply the newest version of a rule from now on, or no longer; False when that is so already."""
    rulebook.bump()
    held = CorrectionRule.objects.of_key(rule.key).order_by("-version").first()
    if held is None or held.is_active == on:
        return False
    held.is_active = on
    held.save(update_fields=["is_active"])
    audit.record(action="correction_rule.switch", target=held, by=by, fields=["is_active"])
    return True


@transaction.atomic
def move(*, rule: CorrectionRule, up: bool, by: User | str) -> bool:
    """Change places with the rule before or behind it of the same source; False at the end of the list."""
    rulebook.bump()
    newest = list(CorrectionRule.objects.of_source(rule.source).newest_versions().in_order())
    place = next((n for n, one in enumerate(newest) if one.key == rule.key), None)
    other = None if place is None else place - 1 if up else place + 1
    if place is None or other is None or not 0 <= other < len(newest):
        return False
    mine, theirs = newest[place], newest[other]
    CorrectionRule.objects.of_key(mine.key).update(position=theirs.position)
    CorrectionRule.objects.of_key(theirs.key).update(position=mine.position)
    audit.record(action="correction_rule.move", target=mine, by=by, fields=["position"])
    return True
