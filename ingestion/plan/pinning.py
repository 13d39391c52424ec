"""Pinning an event to a schema: proposed from what was discovered, tried on recent events, kept in versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from ingestion import rulebook
from ingestion.models import PlanObservation, PlanSchema
from ingestion.plan import names, samples, schema
from ingestion.plan.table import Row, schema_of

TRIED: Final = 5_000  # recent events
MOST_PROBLEMS: Final = 20


@transaction.atomic
def pin(*, event: str, definition: Mapping[str, Any], by: User | str) -> PlanSchema:
    """Hold an event to a schema from now on, as its next version; the same schema again is no new one. Raises
    InvalidSchema."""
    schema.validate(definition)
    rulebook.bump()  # first, so that two who pin one event wait for each other
    found = PlanSchema.objects.of_event(event)
    pinned = found.pinned().first()
    if pinned is not None and pinned.schema == definition:
        return pinned
    found.pinned().update(is_pinned=False, unpinned_at=timezone.now(), unpinned_by=by if isinstance(by, User) else None)
    version = found.aggregate(last=Max("version", default=0))["last"] + 1
    made = PlanSchema.objects.create(
        event=event,
        version=version,
        schema=definition,
        is_pinned=True,
        created_by=by if isinstance(by, User) else None,
    )
    audit.record(action="plan.pin", target=made, by=by, fields=["schema", "is_pinned"])
    return made


@transaction.atomic
def unpin(*, event: str, by: User | str) -> bool:
    """Take an event's messages as they come again; False when it is not pinned."""
    rulebook.bump()
    pinned = PlanSchema.objects.of_event(event).pinned().first()
    if pinned is None:
        return False
    pinned.is_pinned = False
    pinned.unpinned_at = timezone.now()
    pinned.unpinned_by = by if isinstance(by, User) else None
    pinned.save(update_fields=["is_pinned", "unpinned_at", "unpinned_by"])
    audit.record(action="plan.unpin", target=pinned, by=by, fields=["is_pinned"])
    return True


# --- proposing ------------------------------------------------------------------------------------------------------


def propose(event: str) -> dict[str, Any]:
    """A schema of what all sources sent of an event: each property's type, and whether it was always there. Two
    queries."""
    observed = PlanObservation.objects.of_event(event)
    sampled = sum(row["sampled"] for row in observed.by_source())
    types: dict[str, dict[str, int]] = {}
    for row in observed.by_property():
        found = types.setdefault(row["property"], {})
        found[row["json_type"]] = found.get(row["json_type"], 0) + row["total"]
    rows = [_row(path, found, sampled) for path, found in sorted(types.items()) if names.OTHER not in path]
    return schema_of(rows, base={"type": "object"}, is_closed=False)


def _row(path: str, types: Mapping[str, int], sampled: int) -> Row:
    kinds = set(types) - {"null"}
    if kinds == {"integer", "number"}:
        kinds = {"number"}
    return Row(
        path=path,
        kind=kinds.pop() if len(kinds) == 1 else "any",
        # Within lists and objects nobody has counted how often they were there.
        is_required="." not in path and sum(types.values()) >= sampled > 0,
        may_be_empty="null" in types,
    )


# --- trying ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trial:
    """What a schema would have done to recent events: `n_refused` of `n_tried`, by problem, the most frequent first."""

    n_tried: int
    n_refused: int
    problems: tuple[tuple[str, int], ...]


def try_on(event: str, definition: Mapping[str, Any], *, by: User) -> Trial:
    """Hold the newest stored events against a schema that is not pinned yet. Counts alone: shows nothing of anybody.
    Raises InvalidSchema."""
    schema.validate(definition)
    checks = {frozenset[str](): schema.compile_schema(definition)}
    n_tried = 0
    problems: dict[str, int] = {}
    for recent in samples.touchpoints().recent(event, source_ids=scope_of(by).source_ids, limit=TRIED):
        n_tried += 1
        check = checks.get(recent.lacks)
        if check is None:
            check = checks[recent.lacks] = schema.compile_schema(_without(definition, recent.lacks))
        problem = check(recent.properties)
        if problem is not None:
            problems[str(problem)] = problems.get(str(problem), 0) + 1
    ranked = sorted(problems.items(), key=lambda pair: (-pair[1], pair[0]))
    return Trial(n_tried, sum(problems.values()), tuple(ranked[:MOST_PROBLEMS]))


def _without(definition: Mapping[str, Any], lacking: frozenset[str]) -> dict[str, Any]:
    """The schema but for properties that a stored event does not keep with itself."""
    return dict(definition) | {
        "required": [name for name in definition.get("required", ()) if name not in lacking],
        "properties": {n: inner for n, inner in definition.get("properties", {}).items() if n not in lacking},
    }
