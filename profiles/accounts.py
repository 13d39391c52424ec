"""Accounts out of group calls: which company, household or team a customer acts for.

Follows Segment's spec of `group` and of `context.groupId`. Nothing here joins people: that two customers belong to the
same account says nothing about who they are.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from ingestion.messages import Message
from ingestion.normalise.trait_names import canonical_name
from ingestion.normalise.values import placeholder_problem
from profiles.models import AccountMembership

MAX_ID_LENGTH = 200  # Account.external_id


class AccountKey(NamedTuple):
    """What identifies an account."""

    source_id: int
    external_id: str


@dataclass(frozen=True, slots=True)
class StatedAccount:
    """What one message says about the account that its sender acts for.

    `traits` by name in snake_case, None for a cleared one. A public key confirms nothing and describes nothing: its
    visitor's membership is recorded as said, and the account's traits stay what servers say.
    """

    key: AccountKey
    occurred_at: datetime
    traits: Mapping[str, Any] = field(default_factory=dict)
    is_confirmed: bool = True


@dataclass(frozen=True, slots=True)
class AccountWrite:
    """A stated account with the record that acts for it, ready to be written."""

    account: StatedAccount
    record_id: int
    operation_id: UUID | None


def read(message: Message, *, source_id: int, occurred_at: datetime, is_public_key: bool) -> StatedAccount | None:
    """The account that a message names; None for none, and for a placeholder such as "null"."""
    if message.type == "group":
        named: Any = message.group_id
    else:
        named = (message.context or {}).get("groupId")
    if isinstance(named, bool) or not isinstance(named, str | int):
        return None
    external_id = str(named).strip()
    if not external_id or len(external_id) > MAX_ID_LENGTH or placeholder_problem(external_id):
        return None
    describes = message.type == "group" and not is_public_key
    return StatedAccount(
        key=AccountKey(source_id, external_id),
        occurred_at=occurred_at,
        traits={canonical_name(name): value for name, value in (message.traits or {}).items()} if describes else {},
        is_confirmed=not is_public_key,
    )


def upsert(writes: Sequence[AccountWrite]) -> None:
    """Write accounts and who acts for them, in the digest's transaction. Four statements at most; none without writes.

    The newest statement wins per trait, at equal times the greater value, so that any order of arrival ends the same.
    """
    if not writes:
        return
    said: dict[AccountKey, list[StatedAccount]] = defaultdict(list)
    for write in writes:
        said[write.account.key].append(write.account)
    ids = _take(said)
    _describe({ids[key]: stated for key, stated in said.items() if any(one.traits for one in stated)})
    _join(writes, ids)


_TAKE = """
INSERT INTO profiles_account AS a (source_id, external_id, traits, trait_times, first_seen_at, last_seen_at)
SELECT source_id, external_id, '{}', '{}', first_at, last_at
  FROM json_to_recordset(%s::json) AS t(
       source_id bigint, external_id text, first_at timestamptz, last_at timestamptz)
 ORDER BY source_id, external_id
    ON CONFLICT (source_id, external_id) DO UPDATE SET
       first_seen_at = LEAST(a.first_seen_at, EXCLUDED.first_seen_at),
       last_seen_at = GREATEST(a.last_seen_at, EXCLUDED.last_seen_at)
RETURNING source_id, external_id, id
"""


def _take(said: Mapping[AccountKey, Sequence[StatedAccount]]) -> dict[AccountKey, int]:
    """Make or touch the accounts, which locks them in the order of their keys. One statement."""
    rows = [
        {
            "source_id": key.source_id,
            "external_id": key.external_id,
            "first_at": min(one.occurred_at for one in said[key]),
            "last_at": max(one.occurred_at for one in said[key]),
        }
        for key in sorted(said)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [_json(rows)])
        return {AccountKey(source_id, external_id): key for source_id, external_id, key in cursor.fetchall()}


_READ = "SELECT id, traits::text, trait_times::text FROM profiles_account WHERE id = ANY(%s) ORDER BY id"
_DESCRIBE = """
UPDATE profiles_account AS a
   SET traits = t.traits, trait_times = t.trait_times
  FROM json_to_recordset(%s::json) AS t(id bigint, traits jsonb, trait_times jsonb)
 WHERE a.id = t.id
"""


def _describe(said: Mapping[int, Sequence[StatedAccount]]) -> None:
    """Patch the traits of accounts that this transaction has locked. Two statements."""
    if not said:
        return
    with connection.cursor() as cursor:
        cursor.execute(_READ, [sorted(said)])
        rows = []
        for key, traits_text, times_text in cursor.fetchall():
            traits, times = msgspec.json.decode(traits_text), msgspec.json.decode(times_text)
            for stated in said[key]:
                _patch(traits, times, stated)
            rows.append({"id": key, "traits": traits, "trait_times": times})
        cursor.execute(_DESCRIBE, [_json(rows)])


def _patch(traits: dict[str, Any], times: dict[str, str], stated: StatedAccount) -> None:
    at = stated.occurred_at.astimezone(UTC).isoformat(timespec="microseconds")
    for name, value in stated.traits.items():
        if (at, _rank(value)) <= (times.get(name, ""), _rank(traits.get(name))):
            continue
        times[name] = at
        if value is None:
            traits.pop(name, None)
        else:
            traits[name] = value


def _rank(value: Any) -> bytes:
    """An order of values for ties: cleared is least."""
    return b"" if value is None else msgspec.json.encode(value, order="deterministic")


_JOIN = """
INSERT INTO profiles_accountmembership AS m (record_id, account_id, first_stated_at, last_stated_at, is_confirmed,
                                             operation_id)
SELECT record_id, account_id, first_at, last_at, is_confirmed, operation_id
  FROM json_to_recordset(%s::json) AS t(
       record_id bigint, account_id bigint, first_at timestamptz, last_at timestamptz, is_confirmed boolean,
       operation_id uuid)
 ORDER BY record_id, account_id
    ON CONFLICT (record_id, account_id) DO UPDATE SET
       first_stated_at = LEAST(m.first_stated_at, EXCLUDED.first_stated_at),
       last_stated_at = GREATEST(m.last_stated_at, EXCLUDED.last_stated_at),
       is_confirmed = m.is_confirmed OR EXCLUDED.is_confirmed
"""


def _join(writes: Iterable[AccountWrite], ids: Mapping[AccountKey, int]) -> None:
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    for write in writes:
        stated = write.account
        fresh = {
            "record_id": write.record_id,
            "account_id": ids[stated.key],
            "first_at": stated.occurred_at,
            "last_at": stated.occurred_at,
            "is_confirmed": stated.is_confirmed,
            "operation_id": write.operation_id,
        }
        row = rows.setdefault((write.record_id, ids[stated.key]), fresh)
        row["first_at"] = min(row["first_at"], stated.occurred_at)
        row["last_at"] = max(row["last_at"], stated.occurred_at)
        row["is_confirmed"] = row["is_confirmed"] or stated.is_confirmed
    with connection.cursor() as cursor:
        cursor.execute(_JOIN, [_json(list(rows.values()))])


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()


# --- shown --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """An account of a customer as one viewer may see it; `facts` are pairs of name and value, without the name."""

    name: str
    external_id: str
    source: str
    since: datetime
    is_confirmed: bool
    facts: Sequence[tuple[str, str]]


def of_records(
    record_ids: Collection[int], *, without: Collection[str] = (), until: datetime | None = None
) -> list[ShownAccount]:
    """The accounts that these records act for, the latest first, each once; traits in `without` are left out, and so is
    what was first said from `until` on.

    Whoever sees a record sees the accounts of its source. One query.
    """
    found: dict[int, AccountMembership] = {}
    confirmed: set[int] = set()
    memberships = AccountMembership.objects.filter(record__in=record_ids).select_related("account__source")
    if until is not None:
        memberships = memberships.filter(first_stated_at__lt=until)
    for membership in memberships.order_by("-last_stated_at", "pk"):
        found.setdefault(membership.account_id, membership)
        if membership.is_confirmed:
            confirmed.add(membership.account_id)
    return [
        ShownAccount(
            name=one.account.name,
            external_id=one.account.external_id,
            source=one.account.source.name,
            since=one.first_stated_at,
            is_confirmed=one.account_id in confirmed,
            facts=[
                (name.replace("_", " "), str(value))
                for name, value in sorted(one.account.traits.items())
                if name != "name" and name not in without and isinstance(value, str | int | float)
            ],
        )
        for one in found.values()
    ]
