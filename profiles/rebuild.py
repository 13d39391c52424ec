"""All derived state recomputed from records and decisions, and compared with what is stored.

Records, identifiers as stated, decisions, touchpoints and orders are the truth; who they belong to, golden records, the
owners of keys and the dictionary of names follow from them. Both functions hold the exclusive merge lock throughout, so
digests wait.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection, transaction

from profiles import golden, name_index, signals
from profiles.models import PendingResolution, Profile, SourceRecord
from profiles.resolution import decision_log, neighbourhood, pipeline
from profiles.resolution.neighbourhood import Neighbourhood
from profiles.resolution.partition import Partition, partition

BATCH = 2_000
MOST_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of derived state that is not as it should be; `examples` are ids of rows, never values."""

    what: str
    rows: int
    examples: Sequence[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Derived:
    """Derived columns of one table: which rows differ from the expected (`find` returns their ids), and the mend."""

    what: str
    find: str
    mend: str


_EXPECT = """
CREATE TEMP TABLE expected_owner (record_id bigint PRIMARY KEY, profile_id bigint NOT NULL) ON COMMIT DROP;
CREATE TEMP TABLE expected_end (record_id bigint, kind text, namespace text, value text, valid_to timestamptz)
    ON COMMIT DROP;
CREATE TEMP TABLE expected_key (kind text, namespace text, value text, profile_id bigint) ON COMMIT DROP;
"""

_MISPLACED = """
SELECT m.record_id FROM profiles_membership m JOIN expected_owner o USING (record_id)
 WHERE m.valid_to IS NULL AND m.profile_id <> o.profile_id
"""
_DERIVED = (
    _Derived(
        "profile.state",
        """SELECT p.id FROM profiles_sourcerecord r JOIN expected_owner o ON o.record_id = r.id
             JOIN profiles_profile p ON p.id = r.birth_profile_id
            WHERE (p.state = 'live', p.redirect_to_id, p.kind) IS DISTINCT FROM
                  (o.profile_id = p.id, nullif(o.profile_id, p.id),
                   CASE r.kind WHEN 'anonymous' THEN 'anonymous' ELSE 'identified' END)""",
        """UPDATE profiles_profile p
              SET state = CASE WHEN o.profile_id = p.id THEN 'live' ELSE 'redirected' END,
                  redirect_to_id = nullif(o.profile_id, p.id), changed_at = clock_timestamp(),
                  kind = CASE r.kind WHEN 'anonymous' THEN 'anonymous' ELSE 'identified' END
             FROM profiles_sourcerecord r JOIN expected_owner o ON o.record_id = r.id
            WHERE p.id = r.birth_profile_id
              AND (p.state = 'live', p.redirect_to_id, p.kind) IS DISTINCT FROM
                  (o.profile_id = p.id, nullif(o.profile_id, p.id),
                   CASE r.kind WHEN 'anonymous' THEN 'anonymous' ELSE 'identified' END)""",
    ),
    _Derived(
        "identifier.profile",
        """SELECT i.id FROM profiles_identifier i JOIN expected_owner o USING (record_id)
            WHERE i.profile_id <> o.profile_id""",
        """UPDATE profiles_identifier i SET profile_id = o.profile_id FROM expected_owner o
            WHERE o.record_id = i.record_id AND i.profile_id <> o.profile_id""",
    ),
    _Derived(
        "identifier.valid_to",
        """SELECT i.id FROM profiles_identifier i JOIN expected_owner o USING (record_id)
             LEFT JOIN expected_end e USING (record_id, kind, namespace, value)
            WHERE i.valid_to IS DISTINCT FROM e.valid_to""",
        """UPDATE profiles_identifier i SET valid_to = t.valid_to
             FROM (SELECT i.id, e.valid_to FROM profiles_identifier i JOIN expected_owner o USING (record_id)
                     LEFT JOIN expected_end e USING (record_id, kind, namespace, value)) t
            WHERE t.id = i.id AND i.valid_to IS DISTINCT FROM t.valid_to""",
    ),
    _Derived(
        "identifier_key",
        """SELECT coalesce(k.id, 0) FROM profiles_identifierkey k
             FULL JOIN expected_key e USING (kind, namespace, value)
             LEFT JOIN profiles_profile p ON p.id = k.profile_id
            WHERE p.state IS DISTINCT FROM 'erasing'
              AND (k.id IS NULL OR e.kind IS NULL OR k.profile_id IS DISTINCT FROM e.profile_id)""",
        """MERGE INTO profiles_identifierkey k USING expected_key e
              ON (k.kind, k.namespace, k.value) = (e.kind, e.namespace, e.value)
            WHEN MATCHED THEN UPDATE SET profile_id = e.profile_id, shared = e.profile_id IS NULL
            WHEN NOT MATCHED BY TARGET THEN INSERT (kind, namespace, value, profile_id, shared)
                 VALUES (e.kind, e.namespace, e.value, e.profile_id, e.profile_id IS NULL)
            WHEN NOT MATCHED BY SOURCE THEN DELETE""",
    ),
    _Derived(
        "touchpoint.profile",
        """SELECT t.id FROM profiles_touchpoint t JOIN expected_owner o USING (record_id)
            WHERE t.profile_id <> o.profile_id""",
        """UPDATE profiles_touchpoint t SET profile_id = o.profile_id FROM expected_owner o
            WHERE o.record_id = t.record_id AND t.profile_id <> o.profile_id""",
    ),
    _Derived(
        "order.profile",
        """SELECT t.id FROM profiles_order t JOIN expected_owner o USING (record_id)
            WHERE t.profile_id <> o.profile_id""",
        """UPDATE profiles_order t SET profile_id = o.profile_id FROM expected_owner o
            WHERE o.record_id = t.record_id AND t.profile_id <> o.profile_id""",
    ),
    _Derived(
        "note.profile",
        """SELECT t.id FROM profiles_note t JOIN expected_owner o USING (record_id)
            WHERE t.profile_id <> o.profile_id""",
        """UPDATE profiles_note t SET profile_id = o.profile_id FROM expected_owner o
            WHERE o.record_id = t.record_id AND t.profile_id <> o.profile_id""",
    ),
    _Derived(
        "case.profile",
        """SELECT t.id FROM profiles_case t JOIN expected_owner o USING (record_id)
            WHERE t.profile_id <> o.profile_id""",
        """UPDATE profiles_case t SET profile_id = o.profile_id FROM expected_owner o
            WHERE o.record_id = t.record_id AND t.profile_id <> o.profile_id""",
    ),
)


@transaction.atomic
def check() -> list[Difference]:
    """What is stored otherwise than it follows from records and decisions; changes nothing."""
    return _compare(*_expect())


@transaction.atomic
def rebuild(*, by: str) -> list[Difference]:
    """Bring all derived state to what follows from records and decisions; returns what was mended."""
    around, found = _expect()
    differences = _compare(around, found)
    pipeline.resolve_exclusively(_ids(_MISPLACED), by=by)
    decision_log.append(decision_log.differences(neighbourhood.read_all(), found, _owners(around, found)), actor=by)
    with connection.cursor() as cursor:
        for derived in _DERIVED:
            cursor.execute(derived.mend)
    for numbers in _batches(list(_stale_golden())):
        golden.refresh(numbers)
    for rows in _batches(list(_stale_names())):
        name_index.index_names(dict(rows))
    PendingResolution.objects.all().delete()
    if differences:
        signals.everybody_touched.send(sender=None)
    return differences


def _compare(around: Neighbourhood, found: Partition) -> list[Difference]:
    differences = [_difference("membership", _ids(_MISPLACED))]
    differences += [_difference(derived.what, _ids(derived.find)) for derived in _DERIVED]
    differences.append(_difference("profile.golden", _stale_golden()))
    differences.append(_difference("record.name_words", (number for number, _ in _stale_names())))
    missing = decision_log.differences(around, found, _owners(around, found))
    differences.append(_difference("decision_log", (f"{one.record_a}-{one.record_b}" for one in missing)))
    return [difference for difference in differences if difference.rows]


def _expect() -> tuple[Neighbourhood, Partition]:
    """Partition everything and lay the result beside the stored tables."""
    pipeline.take_merge_lock()
    around = neighbourhood.read_all()
    found = partition(
        [record.evidence for record in around.records.values()], [logged.decision for logged in around.decisions]
    )
    owners = _owners(around, found)
    keys = ((*key, None if anchor is None else owners[anchor]) for key, anchor in found.owner_of.items())
    ends = ((number, *key, at) for (number, key), at in found.ended.items())
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS expected_owner, expected_end, expected_key")
        cursor.execute(_EXPECT)
        _copy(cursor, "COPY expected_owner FROM STDIN", owners.items())
        _copy(cursor, "COPY expected_key FROM STDIN", keys)
        _copy(cursor, "COPY expected_end FROM STDIN", ends)
        cursor.execute("ANALYZE expected_owner, expected_end, expected_key")
    return around, found


def _owners(around: Neighbourhood, found: Partition) -> dict[int, int]:
    return {number: around.records[anchor].birth_profile_id for number, anchor in found.anchor_of.items()}


def _copy(cursor: Any, statement: str, rows: Iterable[Sequence[object]]) -> None:
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _ids(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


def _difference(what: str, rows: Iterable[Any]) -> Difference:
    found = [str(row) for row in rows]
    return Difference(what, len(found), sorted(found)[:MOST_EXAMPLES])


def _stale_golden() -> Iterator[int]:
    """Profiles whose golden record or sort name is not what their records give; of those merged away, nothing."""
    rows = Profile.objects.exclude(state=Profile.State.ERASING).order_by("pk")
    for batch in _batches(rows.values_list("pk", "golden", "sort_name").iterator(chunk_size=BATCH)):
        computed = golden.compute([number for number, _, _ in batch])
        yield from (number for number, values, name in batch if computed[number] != (values, name))


def _stale_names() -> Iterator[tuple[int, dict[str, Any]]]:
    """Records that are not found by exactly the names that they hold, with their attributes."""
    rows = SourceRecord.objects.order_by("pk").values_list("pk", "attributes")
    for batch in _batches(rows.iterator(chunk_size=BATCH)):
        stored = name_index.indexed_words([number for number, _ in batch])
        for number, attributes in batch:
            if name_index.words_of_record(attributes) != stored.get(number, set()):
                yield number, attributes


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield batch
