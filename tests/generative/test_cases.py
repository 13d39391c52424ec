"""A case goes with the person: through arrivals, merges, cuts and their undoing in any order."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cdp_site.core.models import Operation, User
from ingestion.models import Source
from profiles import merging, rebuild
from profiles.cases import handling
from profiles.cases.handling import Said
from profiles.models import Case, Membership, Profile, SourceRecord, Touchpoint
from tests.factories.arrivals import arrive, row

ROWS = st.sampled_from(["p1", "p2", "p3", "p4"])
EMAILS = st.sampled_from([None, "ann@baansabai.co.th", "bea@baansabai.co.th"])


class Cases(RuleBasedStateMachine):
    pos: Source
    steward: User

    def __init__(self) -> None:
        super().__init__()
        self.block: Any = transaction.atomic()
        self.block._from_testcase = True  # as Django's own TestCase: durable blocks may stand within it
        self.block.__enter__()
        self.undoable: list[Operation] = []

    def teardown(self) -> None:
        try:
            assert rebuild.check() == []
        finally:
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    @rule(number=ROWS, email=EMAILS)
    def row_arrives(self, number: str, email: str | None) -> None:
        arrive(self.pos, row(number, **({"email": email} if email else {})))

    @precondition(lambda self: Profile.objects.people().exists())
    @rule(data=st.data())
    def agent_opens_a_case(self, data: st.DataObject) -> None:
        profile = data.draw(st.sampled_from(list(Profile.objects.people().order_by("pk"))))
        handling.open_case(profile=profile, subject="x", said=Said(), by=self.steward)

    @precondition(lambda self: Case.objects.open().exists())
    @rule(data=st.data(), closes=st.booleans())
    def agent_goes_on(self, data: st.DataObject, closes: bool) -> None:
        case = data.draw(st.sampled_from(list(Case.objects.open().order_by("pk"))))
        step = handling.close if closes else handling.note
        step(case=case, said=Said("x"), seen=case.notes.latest_first()[0].pk, by=self.steward)

    @precondition(lambda self: Profile.objects.live().count() > 1)
    @rule(data=st.data())
    def steward_merges(self, data: st.DataObject) -> None:
        live = list(Profile.objects.live().order_by("pk"))
        chosen = data.draw(st.lists(st.sampled_from(live), min_size=2, max_size=3, unique_by=lambda one: one.pk))
        self.undoable.append(merging.merge(profiles=chosen, by=self.steward, reason="").operation)

    @precondition(lambda self: any(len(records) > 1 for records in self.told().values()))
    @rule(data=st.data())
    def steward_parts(self, data: st.DataObject) -> None:
        groups = {owner: records for owner, records in self.told().items() if len(records) > 1}
        owner = data.draw(st.sampled_from(sorted(groups)))
        taken = data.draw(st.lists(st.sampled_from(groups[owner][1:]), min_size=1, unique=True))
        done = merging.unmerge(profile=Profile.objects.get(pk=owner), records=taken, by=self.steward, reason="")
        self.undoable.append(done.operation)

    @precondition(lambda self: self.undoable)
    @rule()
    def steward_undoes_the_last(self) -> None:
        merging.revert(operation=self.undoable.pop(), by=self.steward, reason="")

    def told(self) -> dict[int, list[int]]:
        """Profile → the records that sources told of."""
        found: dict[int, list[int]] = {}
        rows = Membership.objects.filter(valid_to=None).exclude(record__kind=SourceRecord.Kind.AGENT)
        for owner, number in rows.values_list("profile", "record").order_by("record"):
            found.setdefault(owner, []).append(number)
        return found

    @invariant()
    def each_case_is_with_the_person_whom_it_was_opened_for(self) -> None:
        owners = dict(Membership.objects.filter(valid_to=None).values_list("record", "profile"))
        for case in Case.objects.select_related("record", "profile"):
            assert case.profile_id == owners[case.record_id] == owners[case.record.tied_to_id]
            assert case.profile.state == Profile.State.LIVE
        told = Touchpoint.objects.filter(type__name__startswith="Case ").values_list("record", "profile")
        assert all(owners[record] == profile for record, profile in told)


@pytest.mark.django_db
def test_cases_go_with_the_person(pos: Source, steward: User) -> None:
    Cases.pos, Cases.steward = pos, steward
    run_state_machine_as_test(Cases, settings=settings(max_examples=15, stateful_step_count=15, deadline=None))
