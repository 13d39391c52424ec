"""Whom the gate would let through, as a set: its rules (`consent.gate`) in one statement over many people at once.

For choosing people and for counting them. No address comes out of here: the gate alone gives one, and asks again.
"""

from collections.abc import Collection

from psycopg import sql

from consent.contacts import HARMLESS, KIND_OF_CHANNEL
from consent.models import Channel, DataSubjectRequest, Purpose
from consent.state_sql import address_state_sql, state_sql
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from profiles.models import Identifier, Profile, SourceRecord

_TABLES = {
    "purposes": sql.Identifier(Purpose._meta.db_table),
    "requests": sql.Identifier(DataSubjectRequest._meta.db_table),
    "profiles": sql.Identifier(Profile._meta.db_table),
    "identifiers": sql.Identifier(Identifier._meta.db_table),
    "records": sql.Identifier(SourceRecord._meta.db_table),
}

# `Basis.allows`, given the state and the basis of an active purpose; NULL for one that is not active.
_ALLOWED = sql.SQL("""
CASE (SELECT u.basis FROM {purposes} u WHERE u.id = {purpose} AND u.is_active)
     WHEN 'consent' THEN coalesce(said.state, 'never') = 'granted'
     WHEN 'legal_obligation' THEN true
     WHEN 'contract' THEN coalesce(said.state, 'never') NOT IN ('refused', 'withdrawn')
     WHEN 'legitimate_interest' THEN coalesce(said.state, 'never') NOT IN ('refused', 'withdrawn')
END""")

# While a request blocks the purpose only a legal obligation uses anything.
_BARRED = sql.SQL("""
SELECT barred.id FROM (
    SELECT b.id, b.redirect_to_id FROM {requests} q JOIN {profiles} b ON b.public_id = q.subject
    WHERE q.blocks AND (cardinality(q.purposes) = 0 OR {purpose} = ANY(q.purposes))
      AND NOT EXISTS (SELECT FROM {purposes} u WHERE u.id = {purpose} AND u.basis = 'legal_obligation')
) born CROSS JOIN LATERAL (VALUES (born.id), (born.redirect_to_id)) barred(id) WHERE barred.id IS NOT NULL""")

_BY_IDENTIFIER = sql.SQL("""
SELECT contact.profile_id
FROM (
    SELECT DISTINCT i.profile_id, i.value AS address FROM {identifiers} i{in_scope}
    WHERE i.kind = {kind} AND i.is_current AND i.valid_to IS NULL AND i.problem = ANY({harmless})
      {among}
) contact
LEFT JOIN ({said}) said ON said.profile_id = contact.profile_id AND said.address = contact.address
WHERE {allowed} AND contact.profile_id NOT IN ({barred})
GROUP BY contact.profile_id""")

_BY_POST = sql.SQL("""
SELECT contact.profile_id
FROM (SELECT i.id AS profile_id FROM {profiles} i WHERE i.state = 'live'{among}) contact
LEFT JOIN ({said}) said ON said.profile_id = contact.profile_id
WHERE {allowed} AND contact.profile_id NOT IN ({barred})""")


def reachable_sql(
    purpose_id: int,
    channel: Channel,
    *,
    people: sql.Composable | None = None,
    sources: Collection[int] | None = None,
    hidden_traits: Collection[str] = (),
) -> sql.Composed:
    """`SELECT profile_id`: those of `people` (a sub-query of ids; None: everybody) for whom the gate has an address.
    Profiles that are not live are not left out here: every reader of people starts from live ones.

    By post this is what was said alone: whether there is an address in the golden record is the reader's to ask.

    Args:
        sources: whose addresses are seen; None: all sources'.
        hidden_traits: traits that are not seen, and therefore their identifiers are not.
    """
    purpose = sql.Literal(purpose_id)
    shared = {
        "allowed": _ALLOWED.format(purpose=purpose, **_TABLES),
        "barred": _BARRED.format(purpose=purpose, **_TABLES),
    }
    if channel == Channel.POST:
        said = state_sql(purpose_id, channel, among=people, in_effect=True)
        return _BY_POST.format(among=_among("i.id", people), said=said, profiles=_TABLES["profiles"], **shared)
    kind = KIND_OF_CHANNEL[channel]
    hidden = {KIND_OF_TRAIT.get(trait, trait) for trait in hidden_traits}
    return _BY_IDENTIFIER.format(
        in_scope=_in_scope(sources),
        among=_among("i.profile_id", people),
        kind=sql.Literal("" if kind in hidden else kind),  # no identifier is of the kind ""
        harmless=sql.Literal(list(HARMLESS)),
        said=address_state_sql(purpose_id, channel, people),
        identifiers=_TABLES["identifiers"],
        **shared,
    )


def _among(column: str, people: sql.Composable | None) -> sql.Composable:
    return sql.SQL("") if people is None else sql.SQL(" AND {} IN ({})").format(sql.SQL(column), people)


def _in_scope(sources: Collection[int] | None) -> sql.Composable:
    if sources is None:
        return sql.SQL("")
    return sql.SQL(" JOIN {records} r ON r.id = i.record_id AND r.source_id = ANY({sources})").format(
        sources=sql.Literal(sorted(sources)), **_TABLES
    )
