"""What the digest would make of an import's rows, by doing it in transactions that are rolled back.

A row's fate depends on what is there and on the rows before it that have to do with it: of the same record, order, or
identifier. These are taken together, whatever lies between them in the file, and each such group is digested for
itself: the counts are exact, and no transaction is longer than a step of the digest.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from ingestion.landing import Claimed
from profiles import digest
from profiles.passing import Passing
from profiles.reading import Draft
from profiles.resolution import pipeline
from profiles.storing import Entry

ROWS: Final = 500  # in one transaction, unless more have to do with one another: about 0.2 s
TICK: Final = timedelta(microseconds=1)
Row = tuple[int, bytes]  # the chunk of the file in which it would be landed, and the message


def rehearse(like: Claimed, rows: Sequence[Row]) -> Iterator[Counter[str]]:
    """Counts of the rows, some hundred at a time: "rows", the terms of the equation, and what would come of them.

    Args:
        like: how the rows would be landed; its operation must be nobody's.
    """
    together: list[int] = []
    for group in _groups(like, rows):
        together += group
        if len(together) >= ROWS:
            yield _try(like, [rows[place] for place in sorted(together)])
            together = []
    if together:
        yield _try(like, [rows[place] for place in sorted(together)])


def _claimed(like: Claimed, rows: Sequence[Row]) -> list[Claimed]:
    """As many batches as the rows lie in chunks, received one after the other."""
    return [
        replace(
            like,
            id=-number - 1,
            received_at=like.received_at + number * TICK,
            n_items=len(messages),
            raw=b"[" + b",".join(messages) + b"]",
        )
        for number, messages in (
            (number, [message for _number, message in found]) for number, found in groupby(rows, key=lambda row: row[0])
        )
    ]


# --- which rows have to do with one another -------------------------------------------------------------------------


def _groups(like: Claimed, rows: Sequence[Row]) -> list[list[int]]:
    """Places of rows, by record, order and identifier; the earliest group first."""
    leader = list(range(len(rows)))

    def first(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    seen: dict[int, int] = {}
    for begin in range(0, len(rows), ROWS):
        for place, keys in _keys(like, rows[begin : begin + ROWS]):
            for key in keys:
                some, other = first(seen.setdefault(key, begin + place)), first(begin + place)
                leader[max(some, other)] = min(some, other)
    groups: dict[int, list[int]] = {}
    for place in range(len(rows)):
        groups.setdefault(first(place), []).append(place)
    return list(groups.values())


def _keys(like: Claimed, rows: Sequence[Row]) -> Iterator[tuple[int, set[int]]]:
    """Place → hashes of everything that ties a row to others. A row that cannot be used is tied to nothing."""
    places = {message: place for place, (_number, message) in enumerate(rows)}  # each names its line
    for work in digest.read(_claimed(like, rows)):
        for entry in work.entries:
            yield places[entry.item.raw], _ties(entry)


def _ties(entry: Entry) -> set[int]:
    if isinstance(entry, Passing):
        return {hash(entry.key), hash(entry.item.id)}
    if not isinstance(entry, Draft):
        return {hash(entry.item.id), hash(type(entry))}  # of a catalogue: all of them together
    statement = entry.statement
    stated = (*statement.identifiers, *((statement.own,) if statement.own else ()))
    ties = {hash(statement.key), hash(entry.item.id)}
    ties |= {hash((one.kind, one.namespace, one.value)) for one in stated if one.is_evidence}
    if entry.order is not None:
        ties.add(hash((entry.order.source_id, "order", entry.order.external_id)))
    return ties


# --- there and back -------------------------------------------------------------------------------------------------


def _try(like: Claimed, rows: Sequence[Row]) -> Counter[str]:
    """Digest these rows, count what came of it, and undo it."""
    counts = Counter(rows=len(rows))
    with transaction.atomic(durable=True):
        pipeline.share_merge_lock()
        for begin in range(0, len(rows), ROWS):
            counts += digest.dry(_claimed(like, rows[begin : begin + ROWS]))
        counts += came(like.operation_id)
        transaction.set_rollback(True)
    return counts


_CAME = """
WITH born AS (
    SELECT r.id, r.birth_profile_id FROM profiles_sourcerecord r WHERE r.operation_id = %(operation)s
), touched AS (
    SELECT DISTINCT v.record_id FROM profiles_sourcerecordversion v
     WHERE v.operation_id = %(operation)s AND NOT EXISTS (SELECT FROM born WHERE born.id = v.record_id)
)
SELECT (SELECT count(*) FROM born),
       (SELECT count(*) FROM touched JOIN profiles_sourcerecord r ON r.id = touched.record_id
         WHERE r.content_hash IS DISTINCT FROM (
               SELECT v.content_hash FROM profiles_sourcerecordversion v
                WHERE v.record_id = r.id AND v.operation_id IS DISTINCT FROM %(operation)s ORDER BY v.id DESC LIMIT 1)),
       (SELECT count(*) FROM born JOIN profiles_profile p ON p.id = born.birth_profile_id
         WHERE p.state = 'live' AND p.kind = 'identified'
           AND NOT EXISTS (SELECT FROM profiles_pendingresolution w WHERE w.record_id = born.id)),
       (SELECT count(*) FROM profiles_touchpoint t WHERE t.operation_id = %(operation)s),
       (SELECT count(*) FROM profiles_order o WHERE o.operation_id = %(operation)s)
"""


def came(operation_id: UUID | None) -> Counter[str]:
    """New records, others that are not as they were, new customers, touchpoints and orders of an operation."""
    with connection.cursor() as cursor:
        cursor.execute(_CAME, {"operation": operation_id})
        found = cursor.fetchone()
    return Counter(dict(zip(("records", "changed", "people", "touchpoints", "orders"), found, strict=True)))
