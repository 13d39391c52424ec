"""The audit: rows in the business transaction, one sealer that chains what has been committed.

Sealing apart from writing keeps business transactions free of a common lock. A row that is edited, deleted or
moved after sealing breaks the chain; rows not yet sealed are reported as the tail. Each day the end of the chain is
written down outside the database (`core.anchors`): whoever cuts the newest rows off, or writes the whole chain anew,
is found out by that.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, models, transaction
from django.utils import timezone

from cdp_site.core import anchors
from cdp_site.core.models import AuditEvent, AuditSeal, Heartbeat, User

GENESIS = bytes(32)
SEAL_BATCH = 1000  # about 40 ms of one transaction
# One sealer at a time, whatever process it runs in.
_SEALER_LOCK = 0x5EA1


def actor_name(by: User | str) -> str:
    """ "user:7" for a person, "key:7" for a program, "system:digest" for a named part of the product."""
    if isinstance(by, User):
        return f"user:{by.pk}" if by.machine_key is None else f"key:{by.machine_key.pk}"
    if not by.startswith("system:"):
        raise ValueError(f"a system actor is named system:<part>, not {by!r}")
    return by


def record(
    *, action: str, target: models.Model | tuple[str, object], by: User | str, fields: Iterable[str] = ()
) -> AuditEvent:
    """Write one audit row. Must run in the transaction of the change that it speaks of (raises otherwise)."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(f"audit of {action} outside a transaction")
    kind, key = (target._meta.label, target.pk) if isinstance(target, models.Model) else target
    return AuditEvent.objects.create(
        actor=actor_name(by), action=action, target_type=kind, target_id=str(key), fields=sorted(fields)
    )


def canonical(event: AuditEvent) -> bytes:
    """The bytes that a commitment covers: every column, in a fixed order."""
    row = [
        event.pk,
        event.at.isoformat(),
        event.actor,
        event.action,
        event.target_type,
        event.target_id,
        event.fields,
    ]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def seal_pending() -> int:
    """Chain committed rows that have no seal yet, in id order; returns how many. Safe to call from anywhere."""
    sealed = 0
    while True:
        done = _seal_batch()
        sealed += done
        if done < SEAL_BATCH:
            return sealed


@transaction.atomic
def _seal_batch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_SEALER_LOCK])
        if not cursor.fetchone()[0]:
            return 0
    last = AuditSeal.objects.order_by("-sequence").values_list("chain_hash", flat=True).first()
    chain = bytes(last) if last is not None else GENESIS
    unsealed = AuditEvent.objects.filter(
        ~models.Exists(AuditSeal.objects.filter(event_id=models.OuterRef("pk")))
    ).order_by("pk")[:SEAL_BATCH]
    seals = []
    for event in unsealed:
        salt = secrets.token_bytes(16)
        commitment = hashlib.sha256(salt + canonical(event)).digest()
        chain = hashlib.sha256(chain + commitment).digest()
        seals.append(AuditSeal(event_id=event.pk, salt=salt, commitment=commitment, chain_hash=chain))
    AuditSeal.objects.bulk_create(seals)
    return len(seals)


@dataclass(frozen=True)
class Verdict:
    """Result of `verify`: `sealed` rows checked, `tail` rows not sealed yet, `faults` in words (ids only), `anchored`
    links that agree with what was written down outside the database."""

    sealed: int
    tail: int
    faults: tuple[str, ...]
    anchored: int = 0

    @property
    def ok(self) -> bool:
        return not self.faults

    def as_dict(self) -> dict[str, object]:
        return {
            "ok": self.ok,
            "sealed": self.sealed,
            "tail": self.tail,
            "anchored": self.anchored,
            "faults": list(self.faults),
        }


def verify(*, most_faults: int = 20, written_down: anchors.Book | None = None) -> Verdict:
    """Walk the whole chain. Reads every row once, in the order of sealing, 2,000 at a time.

    Args:
        written_down: the anchors to compare with; those of this installation when none are given.
    """
    book = anchors.read() if written_down is None else written_down
    expected = {anchor.sequence: anchor for anchor in book.in_force}
    chain, sealed, faults, anchored = GENESIS, 0, list(book.faults), 0
    seals = AuditSeal.objects.order_by("sequence").iterator(chunk_size=2000)
    for batch in _batches(seals, 2000):
        events = AuditEvent.objects.in_bulk([seal.event_id for seal in batch])
        for seal in batch:
            sealed += 1
            event = events.get(seal.event_id)
            if event is None:
                faults.append(f"row {seal.event_id} is gone")
            elif hashlib.sha256(bytes(seal.salt) + canonical(event)).digest() != bytes(seal.commitment):
                faults.append(f"row {seal.event_id} was edited")
            chain = hashlib.sha256(chain + bytes(seal.commitment)).digest()
            if chain != bytes(seal.chain_hash):
                faults.append(f"the chain breaks at seal {seal.sequence}")
                chain = bytes(seal.chain_hash)
            if anchor := expected.pop(seal.sequence, None):
                if anchor.chain_hash == bytes(seal.chain_hash).hex() and anchor.sealed == sealed:
                    anchored += 1
                else:
                    faults.append(f"seal {seal.sequence} is not what the anchor of {anchor.at:%Y-%m-%d} says")
            if len(faults) >= most_faults:
                return Verdict(sealed, 0, tuple(faults), anchored)
    faults += [f"seal {one.sequence}, anchored on {one.at:%Y-%m-%d}, is gone" for one in expected.values()]
    tail = AuditEvent.objects.filter(~models.Exists(AuditSeal.objects.filter(event_id=models.OuterRef("pk")))).count()
    return Verdict(sealed, tail, tuple(faults[:most_faults]), anchored)


CHECK = "audit"  # name of the heartbeat that holds the last check


def check_chain() -> Verdict:
    """Seal, walk the chain, and leave the result where the audit page finds it. For the clock and for the page."""
    seal_pending()
    verdict = verify()
    found = {"at": timezone.now(), "pid": os.getpid(), "detail": verdict.as_dict()}
    Heartbeat.objects.update_or_create(name=CHECK, defaults=found)
    return verdict


def write_anchor() -> anchors.Anchor | None:
    """Seal what is committed and write the end of the chain down outside the database. By the clock, each day."""
    seal_pending()
    return anchors.write()


def last_check() -> Heartbeat | None:
    """When the chain was last checked, with the verdict as `detail`."""
    return Heartbeat.objects.filter(name=CHECK).first()


def _batches(seals: Iterable[AuditSeal], size: int) -> Iterable[list[AuditSeal]]:
    batch: list[AuditSeal] = []
    for seal in seals:
        batch.append(seal)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
