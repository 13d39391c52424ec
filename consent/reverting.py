"""What becomes of the consents that an import brought, when it is taken back.

The ledger is append-only: entries stay and lose their effect (`VoidEntry`); they go only with a record that vanishes. A
grant loses its effect at once. A refusal keeps it unless a person has said otherwise, because to lift it may open a
permission: where its record vanishes, the customer's remaining record takes it over. What another import repeated is an
entry of that one from then on.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from copy import copy
from uuid import UUID, uuid5

from django.db import connection
from django.db.models import F, Q

from cdp_site.core.append_only import erasure_step
from consent import cells
from consent.models import ConsentEntry, DataSubjectRequest, RepeatedCell, SecondedCell, VoidEntry
from consent.states import Origin, State
from profiles.models import Membership
from profiles.reverting import taking as profiles_taking
from profiles.reverting.taking import Taking

STEP = "revert"

# People who stay although the import is taken back, and whom it says have refused.
_FORESEE = """
WITH said AS (
    SELECT e.record_id, e.state <> 'granted' AS denies FROM consent_consententry e
     WHERE e.operation_id = %(operation)s AND NOT EXISTS (SELECT FROM consent_voidentry v WHERE v.entry_id = e.id)
), denied AS (
    SELECT DISTINCT m.profile_id FROM said JOIN profiles_membership m ON m.record_id = said.record_id
     WHERE said.denies AND m.valid_to IS NULL
)
SELECT count(*) FILTER (WHERE NOT denies), count(*) FILTER (WHERE denies),
       (SELECT count(*) FROM denied WHERE EXISTS (
           SELECT FROM profiles_membership m JOIN profiles_sourcerecord r ON r.id = m.record_id
            WHERE m.profile_id = denied.profile_id AND m.valid_to IS NULL
              AND (r.operation_id IS DISTINCT FROM %(operation)s OR EXISTS (
                   SELECT FROM profiles_recordshare s
                    WHERE s.record_id = r.id AND s.operation_id IS DISTINCT FROM %(operation)s))))
  FROM said
"""
# The record of a customer that takes over what a vanishing one refused.
_HEIRS = """
SELECT gone.record_id, min(m.record_id)
  FROM profiles_membership gone
  JOIN profiles_membership m ON m.profile_id = gone.profile_id AND m.valid_to IS NULL
  JOIN profiles_sourcerecord r ON r.id = m.record_id
 WHERE gone.record_id = ANY(%(ids)s) AND gone.valid_to IS NULL
   AND (r.operation_id IS DISTINCT FROM %(operation)s OR EXISTS (
        SELECT FROM profiles_recordshare s WHERE s.record_id = r.id AND s.operation_id IS DISTINCT FROM %(operation)s))
 GROUP BY gone.record_id
"""


class ConsentPart:
    """The ledger's part in a revert."""

    def foresee(self, operation_id: UUID) -> Mapping[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(_FORESEE, {"operation": operation_id})
            grants, denials, protected = cursor.fetchone()
        return {"grants": grants, "denials": denials, "protected": protected}

    def holds(self, record_ids: Collection[int], taking: Taking) -> set[int]:
        """What others said, and a request that is being dealt with."""
        of_others = Q(operation_id__isnull=True) | ~Q(operation_id=taking.operation_id)
        entries = ConsentEntry.objects.of_records(record_ids).standing().filter(of_others)
        members = Membership.objects.filter(record__in=record_ids, valid_to__isnull=True)
        asked = members.filter(profile__public_id__in=DataSubjectRequest.objects.open().values("subject")).values_list(
            "record", flat=True
        )
        return {*entries.values_list("record", flat=True), *asked}

    def forget(self, operation_ids: Collection[UUID]) -> None:
        """What they repeated needs no telling apart. Of an entry of theirs nobody asks who has repeated it."""
        SecondedCell.objects.filter(operation_id__in=operation_ids).delete()
        SecondedCell.objects.filter(entry__operation_id__in=operation_ids).delete()

    def take_back(self, record_ids: Collection[int], vanishing: Collection[int], taking: Taking) -> Mapping[str, int]:
        done: Counter[str] = Counter()
        entries = list(ConsentEntry.objects.of_records(record_ids).standing().filter(operation_id=taking.operation_id))
        going = [entry for entry in entries if entry.state == State.GRANTED or taking.lifts_denials]
        denials = [entry for entry in entries if entry.state != State.GRANTED and not taking.lifts_denials]
        inherited = _inherited(denials, vanishing, taking)
        ConsentEntry.objects.bulk_create(inherited, ignore_conflicts=True, batch_size=1000)
        done["denials_kept"] = len(inherited) + sum(entry.record_id not in vanishing for entry in denials)
        gone = {entry.pk: entry for entry in going if entry.record_id not in vanishing}
        VoidEntry.objects.bulk_create(
            [VoidEntry(entry_id=pk, operation_id=taking.by_operation) for pk in sorted(gone)],
            ignore_conflicts=True,
            batch_size=1000,
        )
        _let_others_say(gone, taking)
        SecondedCell.objects.filter(entry__record__in=record_ids, operation_id=taking.operation_id).delete()
        if vanishing:
            with erasure_step(STEP):
                ConsentEntry.objects.of_records(vanishing).delete()
        done["grants"] = sum(entry.state == State.GRANTED for entry in going)
        done["denials"] = len(entries) - done["grants"] - done["denials_kept"]
        return done


def _inherited(denials: Iterable[ConsentEntry], vanishing: Collection[int], taking: Taking) -> list[ConsentEntry]:
    """Refusals of vanishing records, as entries of a record of the same customer that stays; an act of nobody's, so
    that no later file weighs it against its own columns."""
    going = [entry for entry in denials if entry.record_id in vanishing]
    if not going:
        return []
    with connection.cursor() as cursor:
        ids = sorted({entry.record_id for entry in going})
        cursor.execute(_HEIRS, {"ids": ids, "operation": taking.operation_id})
        heirs = dict(cursor.fetchall())
    inherited = []
    for entry in going:
        if entry.record_id in heirs:
            kept = _copy(entry, pk=uuid5(entry.pk, "inherited"), operation_id=taking.by_operation)
            kept.record_id, kept.origin, kept.actor = heirs[entry.record_id], Origin.SCREEN, taking.by
            kept.evidence = {"kept": str(entry.pk)}
            inherited.append(kept)
    return inherited


def _let_others_say(gone: Mapping[UUID, ConsentEntry], taking: Taking) -> None:
    """What another import has repeated is from now on an entry of the first that did."""
    seconds = SecondedCell.objects.filter(entry__in=gone).exclude(operation_id=taking.operation_id)
    said: dict[UUID, list[SecondedCell]] = {}
    for second in seconds.order_by(F("first_stated_at"), "pk"):
        said.setdefault(second.entry_id, []).append(second)
    entries, repetitions, others = [], [], []
    for entry_id, told in said.items():
        first, *later = told
        entry = _copy(
            gone[entry_id], pk=uuid5(entry_id, f"said by {first.operation_id}"), operation_id=first.operation_id
        )
        entry.occurred_at = first.first_stated_at
        entry.received_at = max(entry.received_at, first.first_stated_at)
        entries.append(entry)
        last = max(one.last_stated_at for one in told)
        if last > entry.occurred_at:
            repetitions.append(RepeatedCell(entry_id=entry.pk, last_stated_at=last))
        others += [
            SecondedCell(
                entry_id=entry.pk,
                operation_id=one.operation_id,
                first_stated_at=one.first_stated_at,
                last_stated_at=one.last_stated_at,
            )
            for one in later
        ]
    ConsentEntry.objects.bulk_create(entries, ignore_conflicts=True, batch_size=1000)
    cells.store(repetitions)
    cells.store_seconds(others)


def _copy(entry: ConsentEntry, *, pk: UUID, operation_id: UUID | None) -> ConsentEntry:
    copied = copy(entry)
    copied._state = copy(entry._state)
    copied._state.adding = True
    copied.pk, copied.operation_id = pk, operation_id
    return copied


def register() -> None:
    profiles_taking.register(ConsentPart())
