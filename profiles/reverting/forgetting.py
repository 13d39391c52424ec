"""What each operation said is kept while it can be taken back; afterwards it is everybody's."""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cdp_site.core.models import Operation
from profiles import order_shares, shares
from profiles.models import OrderShare, RecordShare
from profiles.order_shares import Share as OrderSaid
from profiles.resolution import pipeline
from profiles.reverting.job import FORGETS_AFTER
from profiles.reverting.taking import execute, parts, rows

CHUNK: Final = 500  # records or orders of one transaction

_TOUCHPOINTS = """
WITH gone AS (
    DELETE FROM profiles_touchpointshare WHERE operation_id = ANY(%s) RETURNING touchpoint_id
)
INSERT INTO profiles_touchpointshare (touchpoint_id, operation_id)
SELECT DISTINCT touchpoint_id, NULL::uuid FROM gone
    ON CONFLICT (touchpoint_id, operation_id) DO NOTHING
"""
# A share tells something apart only while there is an operation that can be taken back.
_NEEDLESS = """
DELETE FROM profiles_touchpointshare s
 WHERE s.operation_id IS NULL AND NOT EXISTS (
       SELECT FROM profiles_touchpoint t JOIN core_operation o ON o.id = t.operation_id
        WHERE t.id = s.touchpoint_id AND o.at >= %s)
"""


def forget_old() -> int:
    """Chore: shares of operations that cannot be taken back any more become part of nobody's; how many operations."""
    since = timezone.now() - FORGETS_AFTER
    old = _old(since)
    if not old:
        return 0
    recent = set(Operation.objects.filter(at__gte=since).values_list("pk", flat=True))
    while ids := _some(RecordShare.objects.filter(operation_id__in=old).values_list("record_id", flat=True)):
        with transaction.atomic(durable=True):
            pipeline.share_merge_lock()
            _forget_of_records(ids, old, recent)
    while ids := _some(OrderShare.objects.filter(operation_id__in=old).values_list("order_id", flat=True)):
        with transaction.atomic(durable=True):
            pipeline.share_merge_lock()
            _forget_of_orders(ids, old, recent)
    with transaction.atomic(durable=True):
        execute(_TOUCHPOINTS, [list(old)])
        execute(_NEEDLESS, [since])
        for part in parts():
            part.forget(old)
    return len(old)


def _old(since: object) -> set[UUID]:
    """Operations of before of which shares are kept."""
    found = rows(
        """
        SELECT o.id FROM core_operation o
         WHERE o.at < %s AND (EXISTS (SELECT FROM profiles_recordshare s WHERE s.operation_id = o.id)
               OR EXISTS (SELECT FROM profiles_ordershare s WHERE s.operation_id = o.id)
               OR EXISTS (SELECT FROM profiles_touchpointshare s WHERE s.operation_id = o.id))
        """,
        [since],
    )
    return {row[0] for row in found}


def _some(ids: Iterable[int]) -> list[int]:
    return sorted(set(islice(ids, CHUNK)))


def _forget_of_records(ids: list[int], old: Collection[UUID], recent: Collection[UUID]) -> None:
    execute("SELECT 1 FROM profiles_sourcerecord WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids])
    kept: dict[int, shares.Shares] = {}
    for number, held in shares.of_records(ids).items():
        if held.keys() & recent:
            everybody: shares.Shares = {key: share for key, share in held.items() if key is None or key in old}
            kept[number] = {None: shares.fold(everybody)} | {
                key: share for key, share in held.items() if key is not None and key not in old
            }
    RecordShare.objects.filter(record__in=ids).delete()
    shares.store(kept)


def _forget_of_orders(ids: list[int], old: Collection[UUID], recent: Collection[UUID]) -> None:
    kept: dict[int, order_shares.Shares] = {}
    for order_id, held in order_shares.of_orders(ids).items():
        if held.keys() & recent:
            everybody = [share for key, share in held.items() if key is None or key in old]
            before = next((share.before for share in everybody if share.before is not None), None)
            said = sorted((one for share in everybody for one in share.statements), key=lambda one: one.at)
            kept[order_id] = {None: OrderSaid(before, said)} | {
                key: share for key, share in held.items() if key is not None and key not in old
            }
    OrderShare.objects.filter(order_id__in=ids).delete()
    order_shares.store(kept)
