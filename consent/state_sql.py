"""The rules of `consent.states` in SQL, for many people at once.

Fragments for use inside a larger statement; the numbers of the rules are those of `consent.states`. A generative test
holds the two equal.
"""

from collections.abc import Iterable

from django.db import connection
from psycopg import sql

from consent.contacts import HARMLESS, KIND_OF_CHANNEL
from consent.models import Channel, ConsentEntry, Purpose, VoidEntry
from consent.states import State
from profiles.models import Identifier, Membership, Profile

_TABLES = {
    "entries": sql.Identifier(ConsentEntry._meta.db_table),
    "void": sql.Identifier(VoidEntry._meta.db_table),
    "memberships": sql.Identifier(Membership._meta.db_table),
    "identifiers": sql.Identifier(Identifier._meta.db_table),
    "profiles": sql.Identifier(Profile._meta.db_table),
}

# Rule 1: what has been said, without unchanged cells.
_SAID = sql.SQL("""
told AS (
    SELECT m.profile_id, e.record_id, e.address, e.state, e.occurred_at, e.origin, e.supersedes_until,
           e.state <> 'granted' AS denies,
           lag(e.state) OVER (
               PARTITION BY e.record_id, e.address, e.origin = 'cell'
               ORDER BY e.occurred_at, e.state <> 'granted', e.state
           ) AS before
    FROM {entries} e JOIN {memberships} m ON m.record_id = e.record_id AND m.valid_to IS NULL
    WHERE e.purpose_id = {purpose} AND e.channel = {channel}{among}
      AND NOT EXISTS (SELECT FROM {void} v WHERE v.entry_id = e.id)
),
said AS (
    SELECT * FROM told WHERE origin <> 'cell' OR before IS DISTINCT FROM state
)""")

# Rules 2 to 5, given `said` and `target(profile_id, address)`. `covers`: whether a grant s is about the target t.
_VERDICT = sql.SQL("""
faced AS (
    SELECT t.profile_id, t.address, s.record_id, s.state, s.denies, s.origin, s.occurred_at, s.supersedes_until,
           {covers} AS covers,
           max(s.occurred_at) FILTER (WHERE s.denies) OVER (
               PARTITION BY t.profile_id, t.address, s.record_id
           ) AS denied_at
    FROM target t JOIN said s ON s.profile_id = t.profile_id AND s.address IN ('', t.address)
),
stand AS (
    SELECT profile_id, address, denied_at,
           denied_at IS NOT NULL AND NOT bool_or(NOT denies AND origin <> 'browser' AND occurred_at > denied_at)
               AS denies,
           max(state) FILTER (WHERE denies AND occurred_at = denied_at) AS denial,
           bool_or(NOT denies AND covers AND (denied_at IS NULL OR occurred_at > denied_at)) AS grants,
           max(supersedes_until) FILTER (WHERE NOT denies AND (denied_at IS NULL OR occurred_at > denied_at))
               AS overrules_until
    FROM faced
    GROUP BY profile_id, address, record_id, denied_at
),
weighed AS (
    SELECT profile_id, address,
           max(denied_at) FILTER (WHERE denies) AS denied_at,
           (array_agg(denial ORDER BY denied_at DESC, denial DESC) FILTER (WHERE denies))[1] AS denial,
           max(overrules_until) FILTER (WHERE NOT denies) AS overruled_until,
           bool_or(grants AND NOT denies) AS grants
    FROM stand
    GROUP BY profile_id, address
),
verdict AS (
    SELECT profile_id, address, denied_at,
           CASE WHEN denied_at IS NOT NULL AND (denied_at > overruled_until) IS NOT FALSE THEN denial
                WHEN grants THEN 'granted'
                ELSE 'never'
           END AS state
    FROM weighed
)""")

_STATE = sql.SQL("""
WITH {said},
target AS (
    SELECT profile_id, address FROM said
    UNION SELECT profile_id, '' FROM said
),
{verdict}
SELECT profile_id,
       CASE WHEN bool_or(state = 'granted') THEN 'granted'
            ELSE (array_agg(state ORDER BY denied_at DESC, state DESC))[1]
       END AS state
FROM verdict
GROUP BY profile_id""")

_ADDRESS_STATE = sql.SQL("""
WITH {said},
held AS (
    SELECT DISTINCT profile_id, record_id, value AS address
    FROM {identifiers}
    WHERE kind = {kind} AND is_current AND valid_to IS NULL AND problem = ANY({harmless}){among}
),
target AS (
    SELECT DISTINCT profile_id, address FROM held
),
{verdict}
SELECT profile_id, address, state FROM verdict""")


def said_sql(purpose_id: int, channel: str, *, among: sql.Composable | None = None) -> sql.Composed:
    """CTEs `told` and `said`. `among`: a sub-query of profile ids that limits them."""
    limit = sql.SQL(" AND m.profile_id IN ({})").format(among) if among is not None else sql.SQL("")
    return _SAID.format(purpose=sql.Literal(purpose_id), channel=sql.Literal(str(channel)), among=limit, **_TABLES)


def state_sql(purpose_id: int, channel: str, *, among: sql.Composable | None = None) -> sql.Composed:
    """`SELECT profile_id, state`: what each profile says about the purpose on the channel, as a sub-query.

    A profile that was never asked has no row. Profiles being erased are not left out here: every reader of people
    starts from live profiles.
    """
    return _STATE.format(
        said=said_sql(purpose_id, channel, among=among),
        verdict=_VERDICT.format(covers=sql.SQL("s.address = t.address")),
    )


def address_state_sql(purpose_id: int, channel: Channel, people: sql.Composable | None) -> sql.Composed:
    """`SELECT profile_id, address, state`: of each address that a profile in `people` (a sub-query of ids; None: all)
    holds now and that something was said about. An address without a row was never asked about."""
    covers = sql.SQL(
        "(s.address = t.address"
        " OR EXISTS (SELECT FROM held h WHERE h.record_id = s.record_id AND h.address = t.address))"
    )
    return _ADDRESS_STATE.format(
        said=said_sql(purpose_id, channel, among=people),
        verdict=_VERDICT.format(covers=covers),
        kind=sql.Literal(KIND_OF_CHANNEL[channel]),
        harmless=sql.Literal(list(HARMLESS)),
        among=sql.SQL("") if people is None else sql.SQL(" AND profile_id IN ({})").format(people),
        **_TABLES,
    )


def ids(profile_ids: Iterable[int]) -> sql.Composed:
    """A sub-query of given profile ids."""
    return sql.SQL("SELECT unnest({}::bigint[])").format(sql.Literal(list(profile_ids)))


def states_of(profile_ids: Iterable[int], *, purpose: Purpose, channel: str) -> dict[int, State]:
    """Profile id → state for each of the profiles, `never` included. One query."""
    wanted = list(profile_ids)
    with connection.cursor() as cursor:
        cursor.execute(state_sql(purpose.pk, channel, among=ids(wanted)))
        found = {profile_id: State(state) for profile_id, state in cursor.fetchall()}
    return {profile_id: found.get(profile_id, State.NEVER) for profile_id in wanted}
