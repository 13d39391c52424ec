"""Arrivals, merges, cuts and their undoing in any order: an undo is exact, and what is stored follows from the set."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cdp_site.core.models import Operation, User
from ingestion.models import Source
from profiles import merging, rebuild
from profiles.models import Membership, Profile, SourceRecord, Touchpoint
from profiles.state import hashes
from tests.factories.arrivals import arrive, identify, row, track

DAYS = st.integers(0, 5)
USERS = st.sampled_from(["u1", "u2", "u3"])
DEVICES = st.sampled_from(["d1", "d2"])
ROWS = st.sampled_from(["p1", "p2", "p3", "p4"])
EMAILS = st.sampled_from([None, "ann@baansabai.co.th", "bea@baansabai.co.th"])
PHONES = st.sampled_from([None, "0863451972", "0819876543"])
NAMES = st.sampled_from([{}, {"first_name": "Suda", "last_name": "Rakdee"}, {"first_name": "Prasit"}])


class Identity(RuleBasedStateMachine):
    web: Source
    pos: Source
    steward: User

    def __init__(self) -> None:
        super().__init__()
        self.block: Any = transaction.atomic()
        self.block._from_testcase = True  # as Django's own TestCase: durable blocks may stand within it
        self.block.__enter__()
        self.sent = 0
        self.undoable: list[tuple[Operation, set[int], dict[str, str], int]] = []

    def teardown(self) -> None:
        try:
            assert rebuild.check() == []
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    def send(self, source: Source, message: dict[str, Any]) -> None:
        self.sent += 1
        arrive(source, message)

    @rule(user=USERS, device=st.one_of(st.none(), DEVICES), email=EMAILS, phone=PHONES, name=NAMES, day=DAYS)
    def user_identifies(self, user: str, device: str | None, day: int, name: dict[str, str], **stated: Any) -> None:
        stated = {trait: value for trait, value in stated.items() if value}
        self.send(self.web, identify(user, device=device, day=day, **name, **stated))

    @rule(number=ROWS, email=EMAILS, phone=PHONES, name=NAMES, day=DAYS)
    def row_arrives(self, number: str, day: int, name: dict[str, str], **stated: Any) -> None:
        self.send(self.pos, row(number, day=day, **name, **stated))

    @rule(user=USERS, day=DAYS)
    def user_acts(self, user: str, day: int) -> None:
        self.send(self.web, track("Page Viewed", user, day=day))

    @rule(device=DEVICES, day=DAYS)
    def visitor_acts(self, device: str, day: int) -> None:
        self.send(self.web, track("Page Viewed", device=device, day=day))

    @precondition(lambda self: Profile.objects.live().count() > 1)
    @rule(data=st.data())
    def steward_merges(self, data: st.DataObject) -> None:
        live = list(Profile.objects.live().order_by("pk"))
        chosen = data.draw(st.lists(st.sampled_from(live), min_size=2, max_size=3, unique_by=lambda one: one.pk))
        around = set(Profile.objects.values_list("pk", flat=True))
        before = hashes(around)
        done = merging.merge(profiles=chosen, by=self.steward, reason="")
        self.undoable.append((done.operation, around, before, self.sent))

    @precondition(lambda self: any(len(group) > 1 for group in self.groups().values()))
    @rule(data=st.data())
    def steward_parts(self, data: st.DataObject) -> None:
        groups = {owner: records for owner, records in self.groups().items() if len(records) > 1}
        owner = data.draw(st.sampled_from(sorted(groups)))
        taken = data.draw(st.lists(st.sampled_from(groups[owner]), min_size=1, unique=True))
        if len(taken) == len(groups[owner]):
            taken = taken[1:]
        around = set(Profile.objects.values_list("pk", flat=True))
        before = hashes(around)
        done = merging.unmerge(profile=Profile.objects.get(pk=owner), records=taken, by=self.steward, reason="")
        stayed = set(groups[owner]) - set(taken)
        now = {number: group for group, records in self.groups().items() for number in records}
        assert {now[number] for number in taken}.isdisjoint(now[number] for number in stayed)
        self.undoable.append((done.operation, around, before, self.sent))

    @precondition(lambda self: self.undoable)
    @rule()
    def steward_undoes_the_last(self) -> None:
        operation, around, before, sent = self.undoable.pop()
        merging.revert(operation=operation, by=self.steward, reason="")
        if self.sent == sent:
            assert hashes(around) == before

    def groups(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for owner, number in (
            Membership.objects.filter(valid_to=None).values_list("profile", "record").order_by("record")
        ):
            found.setdefault(owner, []).append(number)
        return found

    @invariant()
    def everything_has_its_owner(self) -> None:
        owners = dict(Membership.objects.filter(valid_to=None).values_list("record", "profile"))
        assert owners.keys() == set(SourceRecord.objects.values_list("pk", flat=True))
        assert set(owners.values()) == set(Profile.objects.live().values_list("pk", flat=True))
        assert all(owners[number] == owner for number, owner in Touchpoint.objects.values_list("record", "profile"))


@pytest.mark.django_db
def test_identity(web_shop: Source, pos: Source, steward: User) -> None:
    Identity.web, Identity.pos, Identity.steward = web_shop, pos, steward
    run_state_machine_as_test(Identity, settings=settings(max_examples=20, stateful_step_count=15, deadline=None))
