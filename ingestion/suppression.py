"""Who was erased stays out: keyed hashes of identifiers, asked by the digest for every message.

The rules (data-model.md, "Suppression"), as they are decided here:

- A record's own id, a unique id, a device or an e-mail hits by itself. A phone, or an identifier that several people
  used, hits only together with a name of the erased person; so the next holder of the phone comes in.
- What happened up to the erasure stays out for ever, also after a return.
- What happened later stays out as well, unless it is an act of the person's own (registration, consent): that releases
  the identifiers that the act itself bears, from its time on. Identifiers that it does not bear stay suppressed until
  an own act bears them: a nightly file with the old member number brings nothing of the old life back.
- Names are compared by their reading, one key for Thai and Latin spellings: given and last name when both sides have
  both, else given names.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, models, transaction

from cdp_site.core import audit, hashing
from cdp_site.core.models import User
from ingestion.models import SuppressedIdentifier
from ingestion.normalise.crossing import skeleton
from ingestion.normalise.names import person_name

# Kind of the identifier that a record's own external id is; its namespace is the source's short name.
RECORD: Final = "record"
_NEVER_ALONE: Final = frozenset({"phone"})

Key = tuple[str, str, str]  # kind, namespace, normalised value


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message, as suppression sees it.

    Args:
        identifiers: all that it states, and `(RECORD, <source's slug>, <external id>)` of its record.
        names: full names that it states, in any script.
        occurred_at: the source's clock.
        is_own_act: the person registered or consented by it.
    """

    identifiers: tuple[Key, ...]
    names: tuple[str, ...]
    occurred_at: datetime
    is_own_act: bool = False


class Erased(NamedTuple):
    """An identifier of the person to erase; `is_shared`: others used it as well, so that it proves nothing alone."""

    kind: str
    namespace: str
    value: str
    is_shared: bool = False


def suppress(
    *, identifiers: Iterable[Erased], names: Iterable[str], erased_at: datetime, request_id: UUID, by: User | str
) -> int:
    """Keep these identifiers out from now on; returns how many are suppressed by this request.

    Runs in the caller's transaction (step 0 of the erasure). Again for the same request it adds what is new.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("suppression belongs into step 0 of the erasure")
    key_id = hashing.current_key_id()
    name_keys = [_name_key(form, key_id) for form in sorted({f for name in names for f in _forms_kept(name)})]
    rows = [
        SuppressedIdentifier(
            key=hashing.identifier_key(item.kind, item.namespace, item.value, key_id=key_id),
            key_id=key_id,
            kind=item.kind,
            needs_name=item.is_shared or item.kind in _NEVER_ALONE,
            name_keys=name_keys,
            erased_at=erased_at,
            request_id=request_id,
        )
        for item in sorted({item._replace(value=form) for item in identifiers for form in _same(item.value)})
    ]
    SuppressedIdentifier.objects.bulk_create(rows, ignore_conflicts=True)
    audit.record(
        action="suppression.add",
        target=("consent.DataSubjectRequest", request_id),
        by=by,
        fields=sorted({row.kind for row in rows}),
    )
    return SuppressedIdentifier.objects.filter(request_id=request_id).count()


def was_added_since(moment: datetime) -> bool:
    """Whether anybody was erased after the moment. One query."""
    return SuppressedIdentifier.objects.filter(erased_at__gte=moment).exists()


def holds_anybody() -> bool:
    """Whether anybody was ever erased. Asked within the transaction that then relies on the answer. One query."""
    return SuppressedIdentifier.objects.exists()


def held(identifiers: Collection[Key]) -> frozenset[Key]:
    """Those of the identifiers that an erased person had, whatever that means for who bears them now. One query."""
    return frozenset(one for some in _held(identifiers).values() for one in some)


def matches(candidates: Sequence[Candidate], *, by: User | str = "system:digest") -> frozenset[int]:
    """The positions of the candidates that must stay out.

    Releases the identifiers of people who come back, in the caller's transaction. One query, and one more for
    releases. While nobody was ever erased (`holds_anybody`) there is no need to ask.
    """
    if not candidates:
        return frozenset()
    found = _find({key for candidate in candidates for key in candidate.identifiers})
    if not found:
        return frozenset()
    hits = {
        position: rows
        for position, candidate in enumerate(candidates)
        if (rows := _hits(candidate, [row for key in candidate.identifiers for row in found.get(key, ())]))
    }
    _release(candidates, hits, by=by)
    return frozenset(
        position
        for position, rows in hits.items()
        if any(_keeps_out(row, candidates[position].occurred_at) for row in rows)
    )


def _same(value: str) -> set[str]:
    """The value, and as it is written with plain characters: a keyboard for Thai or Japanese has wide ones as well."""
    return {value} if value.isascii() else {value, unicodedata.normalize("NFKC", value)}


_HELD = """
SELECT DISTINCT s.key FROM unnest(string_to_array(%s, ',')) AS asked(hex)
  JOIN ingestion_suppressedidentifier s ON s.key = decode(asked.hex, 'hex')
"""


def _held(identifiers: Iterable[Key]) -> dict[bytes, list[Key]]:
    """Hash → identifiers, however written, of those that are suppressed, under every key that ever wrote. One query."""
    key_ids = hashing.key_ids()
    asked: dict[bytes, list[Key]] = {}
    for kind, namespace, value in set(identifiers):
        for form in _same(value):
            for key_id in key_ids:
                hashed = hashing.identifier_key(kind, namespace, form, key_id=key_id)
                asked.setdefault(hashed, []).append((kind, namespace, value))
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [",".join([key.hex() for key in asked])])
        return {bytes(row[0]): asked[bytes(row[0])] for row in cursor.fetchall()}


def _find(keys: Iterable[Key]) -> Mapping[Key, list[SuppressedIdentifier]]:
    """Suppressed rows by the identifier that they are the hash of."""
    identifiers_of = _held(keys)
    found: dict[Key, list[SuppressedIdentifier]] = {}
    if identifiers_of:
        for row in SuppressedIdentifier.objects.filter(key__in=list(identifiers_of)).order_by("pk"):
            for identifier in identifiers_of[bytes(row.key)]:
                found.setdefault(identifier, []).append(row)
    return found


def _hits(candidate: Candidate, rows: Iterable[SuppressedIdentifier]) -> list[SuppressedIdentifier]:
    return [row for row in rows if not row.needs_name or _has_name_of(candidate, row)]


def _has_name_of(candidate: Candidate, row: SuppressedIdentifier) -> bool:
    kept = {bytes(key) for key in row.name_keys}
    forms = {form for name in candidate.names for form in _forms_asked(name)}
    return any(_name_key(form, row.key_id) in kept for form in forms)


def _release(
    candidates: Sequence[Candidate], hits: Mapping[int, Sequence[SuppressedIdentifier]], *, by: User | str
) -> None:
    """Note the return on each row that an own act after the erasure bears; the earliest such act counts."""
    returned: dict[int, tuple[SuppressedIdentifier, datetime]] = {}
    for position, rows in hits.items():
        candidate = candidates[position]
        if not candidate.is_own_act or any(candidate.occurred_at <= row.erased_at for row in rows):
            continue
        for row in rows:
            known = returned.get(row.pk)
            if known is None or candidate.occurred_at < known[1]:
                returned[row.pk] = (row, candidate.occurred_at)
    for pk, (row, moment) in sorted(returned.items()):
        if row.released_at is not None and row.released_at <= moment:
            continue
        earliest = models.functions.Least("released_at", models.Value(moment))  # NULL does not count
        SuppressedIdentifier.objects.filter(pk=pk).update(released_at=earliest)
        # The same row may be held by several hits, as several objects.
        for other in (one for rows in hits.values() for one in rows if one.pk == pk):
            other.released_at = moment
        audit.record(
            action="suppression.release",
            target=("consent.DataSubjectRequest", row.request_id),
            by=by,
            fields=[row.kind],
        )


def _keeps_out(row: SuppressedIdentifier, occurred_at: datetime) -> bool:
    return occurred_at <= row.erased_at or row.released_at is None or occurred_at < row.released_at


# --- names --------------------------------------------------------------------------------------------------------


def _forms_kept(full: str) -> tuple[str, ...]:
    """What is kept of an erased person's name: the whole for those who ask with the whole, the given name for those
    who have no more, and a mark when the given name is all that was known."""
    given, last = _readings(full)
    if not given:
        return ()
    return (f"whole\0{given}\0{last}", f"given\0{given}") if last else (f"only\0{given}", f"given\0{given}")


def _forms_asked(full: str) -> tuple[str, ...]:
    given, last = _readings(full)
    if not given:
        return ()
    return (f"whole\0{given}\0{last}", f"only\0{given}") if last else (f"given\0{given}",)


def _readings(full: str) -> tuple[str, str]:
    name = person_name(full)
    if name is None:
        return "", ""
    return skeleton(name.first or name.full), skeleton(name.last or "")


def _name_key(form: str, key_id: str) -> bytes:
    return hashing.keyed(form, purpose="suppressed_name", key_id=key_id)
