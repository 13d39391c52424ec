"""What people do whom we know already: tracked events that say nothing new about anybody.

Nearly all traffic is of this kind. Of such a message only the touchpoint is written; whether it is one is asked of the
database for a whole step at once (`recognise`), and what is not goes the long way of a `Draft`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from ingestion import suppression
from ingestion.landing import Claimed
from ingestion.messages import Item
from profiles.statements import Owner, RecordKey, SourceFacts

DEVICE = "device"


class Passing(msgspec.Struct, frozen=True, gc=False):
    """A tracked event without a word about the person: no traits, consent or order, ids of user and device alone.

    `device` is the one that an identified person used; an anonymous visitor is a device by its own key.
    """

    batch: Claimed
    item: Item
    source: SourceFacts
    key: RecordKey
    device: str | None
    event: str
    properties: Mapping[str, Any]


_RECOGNISE = """
SELECT k.n, r.id, m.profile_id
  FROM json_to_recordset(%s::json) AS k(
       n int, source_id bigint, kind text, external_id text, namespace text, device text, at timestamptz)
  JOIN profiles_sourcerecord r USING (source_id, kind, external_id)
  JOIN profiles_membership m ON m.record_id = r.id AND m.valid_to IS NULL
  JOIN profiles_profile p ON p.id = m.profile_id AND p.state = 'live'
 WHERE k.device IS NULL
    OR EXISTS (SELECT 1 FROM profiles_identifier i
                WHERE i.record_id = r.id AND i.kind = 'device' AND i.namespace = k.namespace AND i.value = k.device
                  AND i.valid_from <= k.at)
"""


def recognise(messages: Sequence[Passing]) -> list[Owner | None]:
    """Whose each message is; None where it says something new after all: an unknown record, a device that it was not
    seen on before (or not that early), somebody who is being or was erased.

    Runs in the digest's transaction with the shared merge lock held. Two queries, one more when anybody was erased.
    """
    earliest: dict[tuple[RecordKey, str | None], datetime] = {}
    namespaces: dict[int, str] = {}
    for message in messages:
        pair = (message.key, message.device)
        at = message.item.clocks.occurred_at
        known = earliest.get(pair)
        if known is None or at < known:
            earliest[pair] = at
        namespaces[message.source.id] = message.source.slug
    pairs = list(earliest)
    owners = _owners(pairs, earliest, namespaces)
    for pair in _of_erased_people(owners, namespaces):
        del owners[pair]
    return [owners.get((message.key, message.device)) for message in messages]


def _owners(
    pairs: Sequence[tuple[RecordKey, str | None]],
    earliest: Mapping[tuple[RecordKey, str | None], datetime],
    namespaces: Mapping[int, str],
) -> dict[tuple[RecordKey, str | None], Owner]:
    if not pairs:
        return {}
    rows = [
        {
            "n": number,
            "source_id": key.source_id,
            "kind": key.kind,
            "external_id": key.external_id,
            "namespace": namespaces[key.source_id],
            "device": device,
            "at": earliest[key, device],
        }
        for number, (key, device) in enumerate(pairs)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RECOGNISE, [msgspec.json.encode(rows).decode()])
        return {pairs[number]: Owner(record_id, profile_id) for number, record_id, profile_id in cursor.fetchall()}


def _of_erased_people(
    pairs: Mapping[tuple[RecordKey, str | None], Owner], namespaces: Mapping[int, str]
) -> list[tuple[RecordKey, str | None]]:
    """Pairs of which suppression holds an identifier: the long way finds out what that means."""
    if not suppression.holds_anybody():
        return []
    identifiers = {(key, device): _identifiers(key, device, namespaces[key.source_id]) for key, device in pairs}
    held = suppression.held({identifier for stated in identifiers.values() for identifier in stated})
    return [pair for pair, stated in identifiers.items() if not held.isdisjoint(stated)]


def _identifiers(key: RecordKey, device: str | None, namespace: str) -> list[suppression.Key]:
    """Every identifier that such a message may state, and maybe more: what each is, the long way decides."""
    values = (key.external_id, device) if device else (key.external_id,)
    return [(kind, namespace, value) for value in values for kind in (suppression.RECORD, "user", DEVICE)]
