"""Taking back touchpoints and orders, a chunk at a time.

Each function does one chunk in the caller's transaction, with the merge lock held exclusively, and leaves nothing of it
to be found again: whoever calls until nothing is found may be killed in between.
"""

from collections import Counter, defaultdict

from django.db import connection

from profiles import order_shares, orders, signals
from profiles.reverting.taking import Taking
from profiles.signals import Aspect, Touch

# One that another told of, too, is that one's from now on.
_HAND_OVER_TOUCHPOINTS = """
WITH others AS (
    SELECT t.id, (SELECT array_agg(s.operation_id ORDER BY s.id) FROM profiles_touchpointshare s
                   WHERE s.touchpoint_id = t.id AND s.operation_id IS DISTINCT FROM %(operation)s) AS operations
      FROM profiles_touchpoint t WHERE t.id = ANY(%(ids)s)
), handed AS (
    UPDATE profiles_touchpoint t SET operation_id = others.operations[1]
      FROM others WHERE t.id = others.id AND others.operations IS NOT NULL
    RETURNING t.id, t.operation_id
), told AS (
    DELETE FROM profiles_touchpointshare s USING handed
     WHERE s.touchpoint_id = handed.id AND s.operation_id IS NOT DISTINCT FROM handed.operation_id
)
SELECT id FROM handed
"""


def touchpoints(taking: Taking, most: int) -> Counter[str]:
    """Touchpoints go; one that another one brought as well becomes that one's."""
    done: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM profiles_touchpoint WHERE operation_id = %s LIMIT %s", [taking.operation_id, most]
        )
        ids = [row[0] for row in cursor.fetchall()]
        if ids:
            cursor.execute(_HAND_OVER_TOUCHPOINTS, {"ids": ids, "operation": taking.operation_id})
            handed = {row[0] for row in cursor.fetchall()}
            gone = [id_ for id_ in ids if id_ not in handed]
            cursor.execute("DELETE FROM profiles_touchpoint WHERE id = ANY(%s) RETURNING type_id, profile_id", [gone])
            people: dict[int, set[int]] = defaultdict(set)
            for type_id, profile_id in cursor.fetchall():
                people[type_id].add(profile_id)
            signals.tell_touched(*(Touch(Aspect.EVENT, whose, type_id) for type_id, whose in sorted(people.items())))
            done["touchpoints"] = cursor.rowcount
            done["looked_at"] = len(ids)
        else:
            cursor.execute("DELETE FROM profiles_touchpointshare WHERE operation_id = %s", [taking.operation_id])
    return done


# --- orders ---------------------------------------------------------------------------------------------------------

_ORDERS = """
SELECT id FROM profiles_order WHERE operation_id = %(operation)s
 UNION
SELECT order_id FROM profiles_ordershare WHERE operation_id = %(operation)s
 ORDER BY 1 LIMIT %(most)s
"""
_FORGET_ORDERS = (
    "DELETE FROM profiles_ordershare WHERE order_id = ANY(%s)",
    "DELETE FROM profiles_refund WHERE order_id = ANY(%s)",
    "DELETE FROM profiles_orderline WHERE order_id = ANY(%s)",
    "DELETE FROM profiles_order WHERE id = ANY(%s)",
)
_OWNERS = """
SELECT record_id, profile_id FROM profiles_membership WHERE record_id = ANY(%s) AND valid_to IS NULL
"""
_REFER = """
UPDATE profiles_touchpoint t SET order_id = moved.now
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS moved(profile_id, before, now)
 WHERE t.profile_id = moved.profile_id AND t.order_id = moved.before
"""
_OWN_ORDERS = """
UPDATE profiles_order o SET operation_id = t.operation_id
  FROM unnest(%s::bigint[], %s::uuid[]) AS t(id, operation_id) WHERE o.id = t.id
"""


def of_orders(taking: Taking, most: int) -> Counter[str]:
    """Orders of which nobody else told go with their lines and refunds; others are as if only the others had told."""
    done: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, {"operation": taking.operation_id, "most": most})
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return done
        cursor.execute("SELECT id, profile_id FROM profiles_order WHERE id = ANY(%s)", [ids])
        profiles = dict(cursor.fetchall())
        held = order_shares.of_orders(ids)
        for statement in _FORGET_ORDERS:
            cursor.execute(statement, [ids])
    signals.tell_touched(Touch(Aspect.ORDERS, {profile for profile in profiles.values() if profile is not None}))
    others = {
        order_id: {key: share for key, share in told.items() if key != taking.operation_id}
        for order_id, told in held.items()
    }
    others = {order_id: told for order_id, told in others.items() if told}
    for order_id, told in others.items():
        _tell_again(order_id, told, profiles.get(order_id))
    done["orders"] = len(ids) - len(others)
    done["orders_changed"] = len(others)
    done["looked_at"] = len(ids)
    return done


def _tell_again(order_id: int, told: order_shares.Shares, profile_id: int | None) -> None:
    """One order anew, out of what is left: as it was laid aside, and each message again in the order of arrival."""
    before = [share.before for share in told.values() if share.before is not None]
    order_shares.lay_back(before)
    said = sorted(((one, key) for key, share in told.items() for one in share.statements), key=lambda pair: pair[0].at)
    now = order_id
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [[one.record_id for one, _ in said]])
        owners = dict(cursor.fetchall())
        for one, key in said:
            if one.record_id in owners:
                write = orders.OrderWrite(one.order, one.message, one.record_id, owners[one.record_id], key)
                [now] = orders.upsert([write]).values()
        cursor.execute(_OWN_ORDERS, [[now], [next(iter(told))]])
        if now != order_id and profile_id is not None:
            cursor.execute(_REFER, [[profile_id], [order_id], [now]])
    order_shares.store({now: told})
