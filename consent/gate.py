"""The gate: the only way to an address of a customer.

`may_use` answers for one customer, `usable_addresses` for many, by the same rules (`for_duty` is for what the company
owes a customer by law):

1. Who is being erased, or merged into another, is not there.
2. While a request that `blocks` stands (erasure, restriction, objection, withdrawal; from its first day, PDPC notice of
   2024) nothing is used for its purposes, except under a legal obligation. Nor is anything used for a purpose that is
   no longer active.
3. An address that is masked, junk, malformed, unconfirmed, replaced or passed on to somebody else is never used.
4. What the person said about the purpose on the channel (`consent.states`) decides by the legal basis of the purpose.
   A consent that has expired, or that a minor gave without a guardian (`consent.terms`), is none.

A viewer's scope hides addresses of other departments' sources; what was said counts, whoever heard it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg import sql

from cdp_site.core.access import EVERYTHING, Scope
from consent import dossier
from consent.contacts import FAULTS, HARMLESS, KIND_OF_CHANNEL, PUBLIC_KEY, postal_addresses
from consent.dossier import REASON_OF_STATE, Permission
from consent.models import Channel, DataSubjectRequest, Purpose
from consent.reasons import Reason, first_told
from consent.state_sql import address_state_sql, ids, state_sql
from consent.states import Basis, State
from profiles import masking
from profiles.models import Identifier, Profile, SourceRecord

# People per statement. Each statement sees what was committed before it, so a withdrawal holds for all later ones.
CHUNK = 2000


def may_use(profile: Profile, purpose: Purpose, channel: Channel, *, scope: Scope = EVERYTHING) -> Permission:
    """The addresses of one customer that may be used now, and why not for the others. Four queries."""
    return dossier.read(profile, scope=scope).may_use(purpose, channel)


def for_duty(profile: Profile, channel: Channel) -> list[str]:
    """The addresses of one customer for what the company owes them by law whatever they said, such as the receipt of a
    withdrawal: those without a fault, of who is there and is not being erased. Never for an offer. Four queries."""
    known = dossier.read(profile)
    return [one.address for one in known.addresses(channel) if one.fault is None] if known.is_there else []


@dataclass(frozen=True, slots=True)
class Usable:
    """An address that may be used. `address` is normalised, `raw` as the customer or the source wrote it."""

    profile_id: int
    address: str
    raw: str


@dataclass
class Passage:
    """One run of many people through the gate: iterate it once for the usable addresses, best first within a person.

    Afterwards `people` is how many had one, and `left_out` counts the others by the one reason that is told.
    """

    rows: Iterator[tuple[int, list[Usable], Reason | None]]
    people: int = 0
    left_out: Counter[Reason] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Usable]:
        for _profile_id, usable, reason in self.rows:
            if reason is None:
                self.people += 1
                yield from usable
            else:
                self.left_out[reason] += 1


def usable_addresses(
    profiles: QuerySet[Profile] | Iterable[int], *, purpose: Purpose, channel: Channel, scope: Scope = EVERYTHING
) -> Passage:
    """The addresses of many customers that may be used now; one statement per 2,000 of them, read as they are needed.

    Args:
        profiles: a queryset of profiles, or their ids. Who is not live is passed over without being counted.
        scope: whose sources' addresses are given out.
    """
    return Passage(_passing(profiles, purpose, channel, scope))


def reach(
    profiles: QuerySet[Profile] | Iterable[int], *, purpose: Purpose, channel: Channel, scope: Scope = EVERYTHING
) -> Passage:
    """How many could be reached: a passage already walked through, of which only the counts are of use."""
    passage = usable_addresses(profiles, purpose=purpose, channel=channel, scope=scope)
    for _usable in passage:
        pass
    return passage


def _passing(
    profiles: QuerySet[Profile] | Iterable[int], purpose: Purpose, channel: Channel, scope: Scope
) -> Iterator[tuple[int, list[Usable], Reason | None]]:
    wanted = profiles.values_list("pk", flat=True).iterator() if isinstance(profiles, QuerySet) else iter(profiles)
    judge = _by_post if channel == Channel.POST else _by_identifier
    while chunk := list(islice(wanted, CHUNK)):
        yield from judge(chunk, purpose, channel, scope)


_TABLES: dict[str, Any] = {
    "profiles": sql.Identifier(Profile._meta.db_table),
    "identifiers": sql.Identifier(Identifier._meta.db_table),
    "records": sql.Identifier(SourceRecord._meta.db_table),
    "requests": sql.Identifier(DataSubjectRequest._meta.db_table),
}

_PERSON = sql.SQL("""
bar AS (
    SELECT born.id, CASE WHEN bool_or(q.kind = 'erasure') THEN 'erasure' ELSE 'restricted' END AS reason
    FROM {requests} q JOIN {profiles} b ON b.public_id = q.subject
    CROSS JOIN LATERAL (VALUES (b.id), (b.redirect_to_id)) born(id)
    WHERE q.blocks AND (cardinality(q.purposes) = 0 OR {purpose} = ANY(q.purposes))
    GROUP BY born.id
),
person AS (
    SELECT p.id, bar.reason AS barred
    FROM {profiles} p LEFT JOIN bar ON bar.id = p.id WHERE p.state = 'live' AND p.id IN ({people})
)""")

# The rank of a fault is its place in `contacts.FAULTS`; the least of an address counts.
_BY_IDENTIFIER = sql.SQL("""
WITH {person},
contact AS (
    SELECT i.profile_id, i.value AS address,
           min(CASE WHEN i.problem = {public_key} THEN {unconfirmed}
                    WHEN i.problem <> ALL({harmless}) THEN {unusable}
                    WHEN i.valid_to IS NOT NULL THEN {ended}
                    WHEN NOT i.is_current THEN {replaced}
                    ELSE 0 END) AS fault,
           max(i.last_stated_at) AS stated_at,
           (array_agg(i.raw ORDER BY i.last_stated_at DESC, i.id DESC))[1] AS raw
    FROM {identifiers} i{in_scope}
    WHERE i.kind = {kind} AND i.profile_id IN ({people})
    GROUP BY i.profile_id, i.value
)
SELECT person.id, person.barred, contact.address, contact.raw, contact.fault, coalesce(said.state, 'never')
FROM person
LEFT JOIN contact ON contact.profile_id = person.id
LEFT JOIN ({said}) said ON said.profile_id = person.id AND said.address = contact.address
ORDER BY person.id, contact.fault, contact.stated_at DESC, contact.address""")

_BY_POST = sql.SQL("""
WITH {person}
SELECT person.id, person.barred, coalesce(said.state, 'never')
FROM person LEFT JOIN ({said}) said ON said.profile_id = person.id
ORDER BY person.id""")


def _by_identifier(
    chunk: list[int], purpose: Purpose, channel: Channel, scope: Scope
) -> Iterator[tuple[int, list[Usable], Reason | None]]:
    people = ids(chunk)
    query = _BY_IDENTIFIER.format(
        person=_person(people, purpose),
        people=people,
        in_scope=_in_scope(scope),
        kind=sql.Literal(_kind(channel, scope)),
        public_key=sql.Literal(PUBLIC_KEY),
        harmless=sql.Literal(list(HARMLESS)),
        said=address_state_sql(purpose.pk, channel, people),
        **{
            reason.value: sql.Literal(FAULTS.index(reason))
            for reason in (Reason.UNCONFIRMED, Reason.UNUSABLE, Reason.ENDED, Reason.REPLACED)
        },
        **_TABLES,
    )
    for profile_id, rows in groupby(_rows(query), key=itemgetter(0)):
        usable, reasons = [], []
        for _profile_id, barred, address, raw, fault, state in rows:
            reason = _barred(purpose, barred)
            if reason is None and address is not None:
                reason = FAULTS[fault] or _objection(purpose, state)
                if reason is None:
                    usable.append(Usable(profile_id, address, raw))
            if reason is not None:
                reasons.append(reason)
        yield profile_id, usable, None if usable else first_told(reasons)


def _by_post(
    chunk: list[int], purpose: Purpose, channel: Channel, scope: Scope
) -> Iterator[tuple[int, list[Usable], Reason | None]]:
    people = ids(chunk)
    profiles = list(Profile.objects.live().filter(pk__in=chunk))
    addresses = postal_addresses(profiles, scope)
    query = _BY_POST.format(
        person=_person(people, purpose), said=state_sql(purpose.pk, channel, among=people, in_effect=True)
    )
    for profile_id, barred, state in _rows(query):
        address = addresses.get(profile_id, "")
        reason = _barred(purpose, barred)
        if reason is None:
            reason = _objection(purpose, state) if address else Reason.NO_ADDRESS
        yield profile_id, [Usable(profile_id, address, address)] if reason is None else [], reason


def _person(people: sql.Composable, purpose: Purpose) -> sql.Composed:
    return _PERSON.format(people=people, purpose=sql.Literal(purpose.pk), **_TABLES)


def _kind(channel: Channel, scope: Scope) -> str:
    """The kind of identifier by which the channel reaches people; "", which none has, where the scope hides it."""
    kind = KIND_OF_CHANNEL[channel]
    return "" if kind in masking.hidden_kinds(scope) else kind


def _in_scope(scope: Scope) -> sql.Composable:
    if scope.source_ids is None:
        return sql.SQL("")
    return sql.SQL(" JOIN {records} r ON r.id = i.record_id AND r.source_id = ANY({sources})").format(
        sources=sql.Literal(sorted(scope.source_ids)), **_TABLES
    )


def _rows(query: sql.Composed) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def _barred(purpose: Purpose, barred: str | None) -> Reason | None:
    if barred is not None and purpose.basis != Purpose.Basis.LEGAL_OBLIGATION:
        return Reason(barred)
    return None if purpose.is_active else Reason.PURPOSE_INACTIVE


def _objection(purpose: Purpose, state: str) -> Reason | None:
    return None if Basis(purpose.basis).allows(State(state)) else REASON_OF_STATE[State(state)]
