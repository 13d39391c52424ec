"""The rules of `consent.states` in SQL, for many people at once.

Fragments for use inside a larger statement; the numbers of the rules are those of `consent.states`. A generative test
holds the two equal.
"""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from consent.contacts import HARMLESS, KIND_OF_CHANNEL
from consent.models import Channel, ConsentEntry, Purpose, VoidEntry
from consent.states import State
from consent.terms import BIRTHDAY
from profiles.models import Identifier, Membership, Profile, SourceRecord

_TABLES = {
    "entries": sql.Identifier(ConsentEntry._meta.db_table),
    "void": sql.Identifier(VoidEntry._meta.db_table),
    "memberships": sql.Identifier(Membership._meta.db_table),
    "identifiers": sql.Identifier(Identifier._meta.db_table),
    "profiles": sql.Identifier(Profile._meta.db_table),
    "records": sql.Identifier(SourceRecord._meta.db_table),
    "purposes": sql.Identifier(Purpose._meta.db_table),
}

# Rule 6, `consent.terms`: since when a grant holds, and whose births make them a minor by what their records say.
_TERMS = sql.SQL("""
terms AS (
    SELECT CASE WHEN u.basis = 'consent' THEN
               ({now} AT TIME ZONE 'UTC' - make_interval(months => u.months)) AT TIME ZONE 'UTC'
           END AS stale_before,
           CASE WHEN u.basis <> 'consent' THEN 0 WHEN u.young = 'guardian' THEN {majority} ELSE {own} END AS own_age
    FROM {purposes} u WHERE u.id = {purpose}
),
births AS (
    SELECT b.profile_id, coalesce(max(b.born) FILTER (WHERE b.kind = 'agent'), max(b.born)) AS born
    FROM (
        SELECT n.profile_id, r.kind, (r.attributes ->> 'birth_date') COLLATE "C" AS born
        FROM {records} r JOIN {memberships} n ON n.record_id = r.id AND n.valid_to IS NULL
        WHERE r.attributes ? 'birth_date'{among}
    ) b
    WHERE b.born ~ {birthday}
    GROUP BY b.profile_id
),""")
_NO_TERMS = {"stale": sql.SQL("false"), "unguarded": sql.SQL("false"), "joined": sql.SQL("")}
_WITH_TERMS = {
    "stale": sql.SQL("coalesce(e.occurred_at < terms.stale_before, false)"),
    "unguarded": sql.SQL(
        "(terms.own_age > 0 AND NOT e.by_guardian AND births.born IS NOT NULL AND births.born > to_char("
        "e.occurred_at AT TIME ZONE {zone} - make_interval(years => terms.own_age), 'YYYY-MM-DD'))"
    ),
    "joined": sql.SQL(" CROSS JOIN terms LEFT JOIN births ON births.profile_id = m.profile_id"),
}

# Rule 1: what has been said, without unchanged cells.
_SAID = sql.SQL("""{terms}
told AS (
    SELECT m.profile_id, e.record_id, e.address, e.state, e.occurred_at, e.origin, e.supersedes_until,
           e.state <> 'granted' AS denies,
           e.state = 'granted' AND {stale} AS is_stale,
           e.state = 'granted' AND {unguarded} AS is_unguarded,
           lag(e.state) OVER (
               PARTITION BY e.record_id, e.address, e.origin = 'cell'
               ORDER BY e.occurred_at, e.state <> 'granted', e.state
           ) AS before
    FROM {entries} e JOIN {memberships} m ON m.record_id = e.record_id AND m.valid_to IS NULL{joined}
    WHERE e.purpose_id = {purpose} AND e.channel = {channel}{among}
      AND NOT EXISTS (SELECT FROM {void} v WHERE v.entry_id = e.id)
),
said AS (
    SELECT * FROM told WHERE origin <> 'cell' OR before IS DISTINCT FROM state
)""")

# Rules 2 to 6, given `said` and `target(profile_id, address)`. `covers`: whether a grant s is about the target t.
_VERDICT = sql.SQL("""
faced AS (
    SELECT t.profile_id, t.address, s.record_id, s.state, s.denies, s.origin, s.occurred_at, s.supersedes_until,
           s.is_stale, s.is_unguarded, {covers} AS covers,
           max(s.occurred_at) FILTER (WHERE s.denies) OVER (
               PARTITION BY t.profile_id, t.address, s.record_id
           ) AS denied_at
    FROM target t JOIN said s ON s.profile_id = t.profile_id AND s.address IN ('', t.address)
),
stand AS (
    SELECT profile_id, address, denied_at,
           denied_at IS NOT NULL AND NOT bool_or(
               NOT denies AND NOT is_unguarded AND origin <> 'browser' AND occurred_at > denied_at
           ) AS denies,
           max(state) FILTER (WHERE denies AND occurred_at = denied_at) AS denial,
           bool_or(covers AND NOT is_unguarded AND NOT is_stale AND is_open) AS grants,
           bool_or(covers AND NOT is_unguarded AND is_stale AND is_open) AS expired,
           bool_or(covers AND is_unguarded AND is_open) AS unguarded,
           max(supersedes_until) FILTER (WHERE NOT is_unguarded AND is_open) AS overrules_until
    FROM (SELECT *, NOT denies AND (denied_at IS NULL OR occurred_at > denied_at) AS is_open FROM faced) faced
    GROUP BY profile_id, address, record_id, denied_at
),
weighed AS (
    SELECT profile_id, address,
           max(denied_at) FILTER (WHERE denies) AS denied_at,
           (array_agg(denial ORDER BY denied_at DESC, denial DESC) FILTER (WHERE denies))[1] AS denial,
           max(overrules_until) FILTER (WHERE NOT denies) AS overruled_until,
           bool_or(grants AND NOT denies) AS grants,
           bool_or(expired AND NOT denies) AS expired,
           bool_or(unguarded AND NOT denies) AS unguarded
    FROM stand
    GROUP BY profile_id, address
),
verdict AS (
    SELECT profile_id, address, denied_at,
           CASE WHEN denied_at IS NOT NULL AND (denied_at > overruled_until) IS NOT FALSE THEN denial
                WHEN grants THEN 'granted'
                WHEN expired THEN 'expired'
                WHEN unguarded THEN 'needs_guardian'
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
            WHEN bool_or(state IN ('refused', 'withdrawn')) THEN
                (array_agg(state ORDER BY denied_at DESC, state DESC)
                 FILTER (WHERE state IN ('refused', 'withdrawn')))[1]
            WHEN bool_or(state = 'expired') THEN 'expired'
            WHEN bool_or(state = 'needs_guardian') THEN 'needs_guardian'
            ELSE 'never'
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


def said_sql(
    purpose_id: int, channel: str, *, among: sql.Composable | None = None, at: datetime | None = None
) -> sql.Composed:
    """CTEs `told` and `said`, with what they need. `among`: a sub-query of profile ids that limits them. `at`: the
    moment at which grants must have effect; None: whether they have is not asked."""
    purpose = sql.Literal(purpose_id)
    limit = sql.SQL(" AND m.profile_id IN ({})").format(among) if among is not None else sql.SQL("")
    terms: sql.Composable = sql.SQL("")
    parts: dict[str, sql.Composable] = dict(_NO_TERMS)
    if at is not None:
        terms = _TERMS.format(
            now=sql.SQL("{}::timestamptz").format(sql.Literal(at)),
            majority=sql.Literal(settings.AGE_OF_MAJORITY),
            own=sql.Literal(settings.AGE_OF_OWN_CONSENT),
            purpose=purpose,
            birthday=sql.Literal(BIRTHDAY.pattern),
            among=sql.SQL(" AND n.profile_id IN ({})").format(among) if among is not None else sql.SQL(""),
            **_TABLES,
        )
        zone = sql.Literal(settings.COMPANY_TIME_ZONE)
        parts = {name: part.format(zone=zone) for name, part in _WITH_TERMS.items()}
    return _SAID.format(
        terms=terms, purpose=purpose, channel=sql.Literal(str(channel)), among=limit, **parts, **_TABLES
    )


def state_sql(
    purpose_id: int, channel: str, *, among: sql.Composable | None = None, in_effect: bool = False
) -> sql.Composed:
    """`SELECT profile_id, state`: what each profile says about the purpose on the channel, as a sub-query.

    `in_effect`: as the gate reads it, where a grant may have expired or want a guardian; else what was said, which time
    alone does not change.

    A profile that was never asked has no row. Profiles being erased are not left out here: every reader of people
    starts from live profiles.
    """
    return _STATE.format(
        said=said_sql(purpose_id, channel, among=among, at=timezone.now() if in_effect else None),
        verdict=_VERDICT.format(covers=sql.SQL("s.address = t.address")),
    )


def address_state_sql(purpose_id: int, channel: Channel, people: sql.Composable | None) -> sql.Composed:
    """`SELECT profile_id, address, state`: of each address that a profile in `people` (a sub-query of ids; None: all)
    holds now and that something was said about, as the gate reads it (`in_effect`). An address without a row was never
    asked about."""
    covers = sql.SQL(
        "(s.address = t.address"
        " OR EXISTS (SELECT FROM held h WHERE h.record_id = s.record_id AND h.address = t.address))"
    )
    return _ADDRESS_STATE.format(
        said=said_sql(purpose_id, channel, among=people, at=timezone.now()),
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
