"""What traffic looks like: events exactly counted, their properties and JSON types from a sample of each step.

The digest calls `write` in the transaction that stores the messages. A step is summed up in memory first and written
by one statement of a few dozen rows; without a sample the look at every property would cost more than the digest has.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from django.db import connection
from django.utils import timezone

from cdp_site.core import memory
from ingestion.models import PlanObservation
from ingestion.plan.names import MAX_EVENT, OTHER, shown

SAMPLE: Final = 20  # messages of one event, source and day that a step looks into
MAX_EVENTS: Final = 1_000  # names of a source that are told apart; further ones are counted under OTHER
MAX_PROPERTIES: Final = 300  # the same of an event
MOST_OF_A_LIST: Final = 5  # members of a list that are looked into

# (source id, event, properties, when received)
Seen = tuple[int, str, Mapping[str, Any], datetime]

# Source id → event → names of properties that have rows, so that the limits hold over all processes.
_known: memory.Memory[int, dict[str, set[str]]] = memory.Memory()

_UPSERT = """
INSERT INTO ingestion_planobservation AS o (event, source_id, property, json_type, day, n, n_sampled, last_at)
SELECT event, source_id, property, json_type, day, n, n_sampled, last_at
  FROM json_to_recordset(%s::json) AS t(
       event text, source_id bigint, property text, json_type text, day date, n bigint, n_sampled bigint,
       last_at timestamptz)
 ORDER BY event, source_id, property, json_type, day
    ON CONFLICT (event, source_id, property, json_type, day) DO UPDATE SET
       n = o.n + EXCLUDED.n, n_sampled = o.n_sampled + EXCLUDED.n_sampled,
       last_at = GREATEST(o.last_at, EXCLUDED.last_at)
"""


def write(seen: Iterable[Seen]) -> None:
    """Count stored messages, in the current transaction. One statement, and one for each source that the process
    meets for the first time; rows are taken in one order, so that no two steps wait for each other in a circle."""
    groups: dict[tuple[int, str, date], list[Mapping[str, Any]]] = defaultdict(list)
    last: dict[tuple[int, str, date], datetime] = {}
    days: dict[datetime, date] = {}
    for source_id, event, properties, at in seen:
        day = days.get(at)
        if day is None:
            day = days[at] = timezone.localtime(at).date()
        key = (source_id, event, day)
        groups[key].append(properties)
        last[key] = max(last.get(key, at), at)
    rows = [row for key, said in groups.items() for row in _rows(*key, said, last[key])]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [msgspec.json.encode(_summed(rows)).decode()])


def _rows(
    source_id: int, event: str, day: date, said: Sequence[Mapping[str, Any]], last_at: datetime
) -> Iterator[dict[str, Any]]:
    known = _known_of(source_id)
    event = _told_apart(shown(event, MAX_EVENT), known, MAX_EVENTS)
    names = known.setdefault(event, set())
    sampled = said[:: -(-len(said) // SAMPLE)]
    found: Counter[tuple[str, str]] = Counter()
    for properties in sampled:
        found.update({(prefix + shown(name), kind) for prefix, name, kind in _looked_into(properties)})
    common = {"event": event, "source_id": source_id, "day": day, "last_at": last_at}
    yield common | {"property": "", "json_type": "", "n": len(said), "n_sampled": len(sampled)}
    for (path, kind), n in found.items():
        name = _told_apart(shown(path), names, MAX_PROPERTIES)
        names.add(name)
        yield common | {"property": name, "json_type": kind, "n": n, "n_sampled": 0}


def _looked_into(properties: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(prefix, name, JSON type) of properties, of an object's within, and of a list's first members'."""
    for name, value in properties.items():
        yield "", name, json_type(value)
        if isinstance(value, dict):
            prefix = f"{shown(name)}."
            yield from ((prefix, inner, json_type(below)) for inner, below in value.items())
        elif isinstance(value, list):
            prefix = f"{shown(name)}[]."
            for member in value[:MOST_OF_A_LIST]:
                if isinstance(member, dict):
                    yield from ((prefix, inner, json_type(below)) for inner, below in member.items())


def json_type(value: Any) -> str:
    """The name that JSON Schema has for the value's type; a whole number is an integer."""
    types = PlanObservation.JsonType
    if isinstance(value, str):
        return types.STRING
    if isinstance(value, bool):
        return types.BOOLEAN
    if isinstance(value, int):
        return types.INTEGER
    if isinstance(value, float):
        return types.NUMBER
    if value is None:
        return types.NULL
    return types.ARRAY if isinstance(value, list) else types.OBJECT


def _summed(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of one key added up: several names may count under OTHER."""
    by_key: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["event"], row["source_id"], row["property"], row["json_type"], row["day"])
        known = by_key.setdefault(key, row)
        if known is not row:
            known["n"] += row["n"]
            known["n_sampled"] += row["n_sampled"]
            known["last_at"] = max(known["last_at"], row["last_at"])
    return list(by_key.values())


def _told_apart(name: str, known: Collection[str], most: int) -> str:
    return name if name in known or len(known) < most else OTHER


def _known_of(source_id: int) -> dict[str, set[str]]:
    if source_id not in _known:
        names: dict[str, set[str]] = defaultdict(set)
        rows = PlanObservation.objects.filter(source=source_id).order_by().values_list("event", "property").distinct()
        for event, name in rows:
            names[event].add(name)
        _known[source_id] = names
    return _known[source_id]
