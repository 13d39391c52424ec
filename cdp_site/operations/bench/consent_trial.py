"""Merges, unmerges and re-imports at random: whether a permission is ever widened, an objection lost, or a consent made
from a cell that did not change.

Each round does one thing to a small world of people whom three systems know, through the same functions as the
product's doors and screens, and compares who may be used before and after. What happens is told by the seed alone.

* A *merge* or *unmerge* by a steward, and the taking back of one: an address that may be used afterwards could be used
  before by one of those who had it, or the person themselves has allowed just this address in an act of their own that
  took back whatever is denied (they were one person then, and parted in between). Whoever had denied a channel still
  denies it, unless the person has taken just that back by an own, later act. Taken back, everybody's state is what it
  was before.
* The *same nightly file again*: no entry is added, and nobody's state changes.
* In between people say things themselves, and cells of the file change: those are changes, and counted as such.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import Operation, Role, User
from consent import dossier
from consent.dossier import Dossier
from consent.models import Channel, ConsentEntry, Purpose
from consent.preferences import board
from ingestion import landing
from ingestion.models import Source
from profiles import digest, merging
from profiles.merging import Outcome
from profiles.models import Membership, Profile, SourceRecord

A_WORLD = 250  # rounds
PEOPLE = 10  # each in every source, as so many records that nothing joins
CHANNELS = (Channel.EMAIL, Channel.SMS)
STATES = ("granted", "refused")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)  # no denial is taken back
NAMESPACE = UUID("5f1c3a52-6a5e-5c0e-9a44-0d9c1b5f2a77")
WEIGHTS = {"merge": 5, "unmerge": 3, "revert": 3, "repeat": 4, "own act": 3, "page": 2, "cell": 2}

Pair = tuple[int, str]  # purpose, channel
Key = tuple[int, str, str]  # and address


@dataclass(frozen=True, slots=True)
class Standing:
    """Of some records as one person: addresses that may be used, channels that are denied with the latest denial, and
    until when the person has taken denials back by name; and of each address that they have allowed by name, up to when
    that took denials back."""

    usable: frozenset[Key]
    denied: Mapping[Pair, datetime]
    overruled_until: Mapping[Pair, datetime]
    named_until: Mapping[Key, datetime]


@dataclass
class Report:
    """What the rounds came to. The three counts of faults are to be 0."""

    rounds: Counter[str] = field(default_factory=Counter)
    widened: int = 0
    lost: int = 0
    from_unchanged_cells: int = 0
    not_restored: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.widened or self.lost or self.from_unchanged_cells or self.not_restored)

    def as_dict(self) -> dict[str, Any]:
        return {
            "rounds": self.rounds.total(),
            "done": dict(self.rounds),
            "permissions_widened": self.widened,
            "objections_lost": self.lost,
            "grants_from_unchanged_cells": self.from_unchanged_cells,
            "states_not_restored": self.not_restored,
            "faults": self.faults[:20],
        }


def run(rounds: int, *, seed: int = 1) -> Report:
    """So many rounds, in one small world after another: the more decisions a world has seen, the longer one takes. What
    they leave behind stays: in a database of the trial's own, or in a transaction that is rolled back."""
    report = Report()
    for world, first in enumerate(range(0, rounds, A_WORLD)):
        trial = _Trial(random.Random(f"{seed} {world}"), world, report)
        for number in range(first, min(first + A_WORLD, rounds)):
            trial.play(number)
    return report


class _Trial:
    def __init__(self, chance: random.Random, world: int, report: Report) -> None:
        self.chance, self.world, self.report = chance, world, report
        self.by = User.objects.create(username=f"consent-trial-{world}", role=Role.STEWARD)
        self.sources = [
            Source.objects.create(slug=f"consent-trial-{kind}-{world}", name=f"Consent trial {kind} {world}", kind=kind)
            for kind in (Source.Kind.SHOP, Source.Kind.POS, Source.Kind.CRM)
        ]
        self.purposes = list(Purpose.objects.filter(is_active=True))
        self.night = timezone.now()  # of the file that came last
        # What the nightly file says: (source, person, purpose, channel) → state. Some cells are empty.
        self.file = {
            (source.pk, person, purpose.slug, channel.value): chance.choice(STATES)
            for source in self.sources
            for person in range(PEOPLE)
            for purpose in self.purposes
            for channel in CHANNELS
            if chance.random() < 0.5
        }
        self.operations: list[tuple[UUID, dict[int, Standing], int]] = []
        self.imports = 0
        self.changes = 0  # statements since the beginning: a merge that is older than one restores no earlier state
        self._import()
        self.records = list(
            SourceRecord.objects.filter(source__in=self.sources).select_related("birth_profile").order_by("pk")
        )

    def play(self, number: int) -> None:
        [what] = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        done = getattr(self, f"_{what.replace(' ', '_')}")(number)
        self.report.rounds[what if done else "nothing to do"] += 1

    # --- people -------------------------------------------------------------------------------------------------------

    def _merge(self, number: int) -> bool:
        people = self._people()
        if len(people) < 2:
            return False
        chosen = self.chance.sample(people, 2 if self.chance.random() < 0.8 or len(people) < 3 else 3)
        before = self._states(self._members(chosen))
        try:
            done = merging.merge(profiles=chosen, by=self.by, reason="trial")
        except MendableError:
            return False
        return self._judge(number, "merge", before, done)

    def _unmerge(self, number: int) -> bool:
        people = [(one, members) for one in self._people() if len(members := self._members([one])) > 1]
        if not people:
            return False
        profile, members = self.chance.choice(people)
        before = self._states(members)
        out = self.chance.sample(sorted(members), self.chance.randint(1, len(members) - 1))
        try:
            done = merging.unmerge(profile=profile, records=out, by=self.by, reason="trial")
        except MendableError:
            return False
        # Parted people may be used as their own records allow: a side that had not denied is free again.
        alone = {record: self._alone([record]) for record in members}
        self._check_alone(number, done, alone)
        self._remember(done, before)
        return True

    def _revert(self, number: int) -> bool:
        """Take back the last merge or unmerge, when it still stands: everything is as it was."""
        if not self.operations:
            return False
        operation_id, before, changes = self.operations.pop()
        operation = Operation.objects.get(pk=operation_id)
        if not merging.stands(operation):
            return False
        merging.revert(operation=operation, by=self.by, reason="trial")
        after = self._states(before)
        if changes == self.changes and after != before:
            self.report.not_restored += 1
            self._fault(number, "a revert restores another state")
        return True

    def _judge(self, number: int, what: str, before: dict[int, Standing], done: Outcome) -> bool:
        """The sides of before against who they are now."""
        after = self._states(before)
        for record, was in before.items():
            now = after[record]
            could = frozenset().union(*(one.usable for one in before.values()))
            if widened := [key for key in sorted(now.usable - could) if not _allowed_by_name(key, before.values())]:
                self.report.widened += 1
                self._fault(number, f"{what}: {widened}")
            lost = [
                pair for pair, at in was.denied.items() if pair not in now.denied and not _taken_back(now, pair, at)
            ]
            if lost or any(
                key[:2] in was.denied and not _taken_back(now, key[:2], was.denied[key[:2]]) for key in now.usable
            ):
                self.report.lost += 1
                self._fault(number, f"{what}: objection lost {lost}")
        self._remember(done, before)
        return True

    def _check_alone(self, number: int, done: Outcome, alone: Mapping[int, Standing]) -> None:
        """After an unmerge a denial of a record still holds for whoever has the record."""
        for record, now in self._states(alone).items():
            lost = [
                pair
                for pair, at in alone[record].denied.items()
                if pair not in now.denied and not _taken_back(now, pair, at)
            ]
            if lost:
                self.report.lost += 1
                self._fault(number, f"unmerge: objection lost {lost}")

    def _remember(self, done: Outcome, before: dict[int, Standing]) -> None:
        self.operations = [*self.operations[-20:], (done.operation.pk, before, self.changes)]

    # --- what is said -------------------------------------------------------------------------------------------------

    def _repeat(self, number: int) -> bool:
        """The same nightly file again: that of last night once more, or tonight's, which says the same."""
        entries, before = ConsentEntry.objects.count(), self._states(record.pk for record in self.records)
        self._import(is_old=self.chance.random() < 0.5)
        if ConsentEntry.objects.count() != entries or self._states(before) != before:
            self.report.from_unchanged_cells += ConsentEntry.objects.count() - entries or 1
            self._fault(number, "the same file changed something")
        return True

    def _cell(self, number: int) -> bool:
        """One cell of tonight's file says something else."""
        cell = self.chance.choice(sorted(self.file))
        self.file[cell] = "refused" if self.file[cell] == "granted" else "granted"
        self.changes += 1
        self._import()
        return True

    def _own_act(self, number: int) -> bool:
        source, person = self.chance.choice(self.sources), self.chance.randrange(PEOPLE)
        self.changes += 1
        said = {
            "type": "track",
            "messageId": f"act-{number}",
            "userId": _id(person),
            "event": self.chance.choice(["Consent Granted", "Consent Refused", "Consent Withdrawn"]),
            "timestamp": timezone.now().isoformat(),
            "properties": {
                "purpose": self.chance.choice(self.purposes).slug,
                "channel": self.chance.choice(CHANNELS).value,
            },
        }
        landing.land(source=source, messages_raw=[said], door="api")
        digest.drain()
        return True

    def _page(self, number: int) -> bool:
        """The person chooses on their preference page, where a consent names the denial that it takes back."""
        profile = self.chance.choice(self.records).birth_profile
        purpose, channel = self.chance.choice(self.purposes), self.chance.choice(CHANNELS)
        self.changes += 1
        is_on = self.chance.random() < 0.6
        try:
            return board.say(named=profile.public_id, purpose=purpose, channel=channel, is_on=is_on)
        except MendableError as refusal:
            if is_on and not isinstance(refusal, ConflictProblem):  # no address of theirs is left to be allowed
                return False
            raise  # a withdrawal is never refused, and nobody is erased here

    def _import(self, *, is_old: bool = False) -> None:
        """Tonight's files of every source, whole, as a pull or a file import lands them; or last night's once more."""
        self.night = self.night if is_old else timezone.now()
        self.imports += 1
        for source in self.sources:
            rows = [self._row(source, person) for person in range(PEOPLE)]
            landing.land(source=source, messages_raw=rows, door="file")
        digest.drain()

    def _row(self, source: Source, person: int) -> dict[str, Any]:
        own = f"{source.kind}{person}"
        consents = [
            {"purpose": purpose, "channel": channel, "state": state, "cell": True}
            for (place, who, purpose, channel), state in sorted(self.file.items())
            if (place, who) == (source.pk, person)
        ]
        return {
            "type": "identify",
            "messageId": str(uuid5(NAMESPACE, f"{own} {self.imports}")),
            "userId": _id(person),
            "timestamp": self.night.isoformat(),
            "traits": {
                "email": f"{own}.{self.world}@trial-shop.co.th",
                "phone": f"08{self.sources.index(source) + 1}{self.world + 234:03d}{person + 5671:04d}",
            },
            "_cdp": {"consents": consents},
        }

    # --- looking ------------------------------------------------------------------------------------------------------

    def _people(self) -> list[Profile]:
        owned = Membership.objects.filter(record__in=self.records, valid_to__isnull=True)
        return list(Profile.objects.live().filter(pk__in=owned.values("profile")).order_by("pk"))

    def _members(self, profiles: Collection[Profile]) -> frozenset[int]:
        owned = Membership.objects.filter(profile__in=profiles, valid_to__isnull=True)
        return frozenset(owned.values_list("record", flat=True))

    def _states(self, records: Iterable[int]) -> dict[int, Standing]:
        """Record → how the person stands to whom it belongs now."""
        owners = dict(
            Membership.objects.filter(record__in=list(records), valid_to__isnull=True).values_list("record", "profile")
        )
        found = {
            profile.pk: self._standing(dossier.read(profile))
            for profile in Profile.objects.filter(pk__in=set(owners.values()))
        }
        return {record: found[owner] for record, owner in sorted(owners.items())}

    def _alone(self, records: Collection[int]) -> Standing:
        return self._standing(dossier.of_records([records], [{}])[0])

    def _standing(self, known: Dossier) -> Standing:
        usable: set[Key] = set()
        denied: dict[Pair, datetime] = {}
        until: dict[Pair, datetime] = {}
        named_until: dict[Key, datetime] = {}
        for purpose in self.purposes:
            for channel in CHANNELS:
                usable |= {(purpose.pk, channel.value, one) for one in known.may_use(purpose, channel).addresses}
                verdict = known.overall(purpose, channel)
                if verdict.state.denies and verdict.because is not None:
                    denied[purpose.pk, channel.value] = verdict.because.occurred_at
                for entry in known.entries.get(purpose.pk, ()):
                    pair, key = (purpose.pk, channel.value), (purpose.pk, channel.value, entry.address)
                    if entry.channel == channel and entry.supersedes_until:
                        until[pair] = max(entry.supersedes_until, until.get(pair, _LONG_AGO))
                    if entry.channel == channel and entry.address and entry.state == ConsentEntry.State.GRANTED:
                        named_until[key] = max(entry.supersedes_until or _LONG_AGO, named_until.get(key, _LONG_AGO))
        return Standing(frozenset(usable), denied, until, named_until)

    def _fault(self, number: int, text: str) -> None:
        self.report.faults.append(f"round {number}: {text}")


def _taken_back(now: Standing, pair: Pair, denied_at: datetime) -> bool:
    """Whether the person has named the denial in a later act of their own."""
    return pair in now.overruled_until and denied_at <= now.overruled_until[pair]


def _allowed_by_name(key: Key, sides: Collection[Standing]) -> bool:
    """Whether the person has allowed just this address in an act of their own that took back all that is denied."""
    until = max((side.named_until[key] for side in sides if key in side.named_until), default=None)
    denials = [side.denied[key[:2]] for side in sides if key[:2] in side.denied]
    return until is not None and all(at <= until for at in denials)


def _id(person: int) -> str:
    return f"T{person:03d}"
