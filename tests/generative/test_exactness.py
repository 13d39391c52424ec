"""Whatever stewards and models decide, undone it has never been: customers are what the arrivals alone make of them.

Each example is a world in which messages arrive while people and models join and part customers, verify, change values,
take notes and erase. After every step all that is derived follows from what is true. At the end everything that can be
undone is undone, and the world must be the one in which the same messages arrived and nobody decided anything.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import Operation, User
from consent import erasure, requests
from consent.models import DataSubjectRequest
from ingestion.models import Source
from profiles import merging, notes, rebuild
from profiles.editing import changing, fields, undoing
from profiles.labels import phone_text
from profiles.matching import labels, rollback, runs, settling, verified
from profiles.models import (
    AgentEdit,
    LinkDecision,
    MatchLabel,
    MatchModel,
    MatchRun,
    Membership,
    Note,
    Order,
    Profile,
    ReviewPair,
    SourceRecord,
    Touchpoint,
    VerifiedRecord,
)
from profiles.resolution import neighbourhood, pipeline
from profiles.resolution.evidence import active, withdrawn
from profiles.resolution.partition import partition
from profiles.state import hashes
from tests.factories.arrivals import arrive, identify, row, track
from tests.factories.matching import FakeMatcher, activate
from tests.factories.picture import picture

DAYS = st.integers(0, 5)
USERS = st.sampled_from(["u1", "u2", "u3"])
DEVICES = st.sampled_from(["d1", "d2"])
ROWS = st.sampled_from(["p1", "p2", "p3"])
EMAILS = st.sampled_from([None, "ann@baansabai.co.th", "bea@baansabai.co.th"])
PHONES = st.sampled_from([None, "0863451972", "0819876543"])
NAMES = st.sampled_from([{}, {"first_name": "Suda", "last_name": "Rakdee"}, {"first_name": "Prasit"}])
BIRTHS = st.sampled_from([None, None, "1990-04-01"])
# What an agent may type: also what is another customer's, what a part of a name does to the whole, and emptied.
TYPED = st.sampled_from(
    [
        *[("email", mail) for mail in ("ann@baansabai.co.th", "bea@baansabai.co.th", "")],
        *[("phone", number) for number in ("0863451972", "0812345679", "0819876543, 0812345679", "")],
        *[("last_name", name) for name in ("Rakdee", "Jaidee", "")],
        *[("birth_date", day) for day in ("1/4/2533", "2/4/2533")],
        *[("occupation", word) for word in ("Teacher", "Nurse", "")],
    ]
)
VERDICTS = st.sampled_from(MatchLabel.Verdict.values)
CONSENTS = st.sampled_from(["Consent Granted", "Consent Refused", "Consent Withdrawn"])
# What one training and another may have found: a name with one more field is enough, or a name alone, or birth dates.
MATCHERS = st.sampled_from(
    [FakeMatcher(), FakeMatcher(names=(6.0, -6.0)), FakeMatcher(names=(0.0, 0.0), birth_dates=(6.0, -6.0))]
)

Name: TypeAlias = tuple[int, str, str]
"""Source, kind and external id: what a record is called in every world."""


class World:
    """A database of its own within the test's, gone when it is left."""

    def __init__(self) -> None:
        block: Any = transaction.atomic()
        block._from_testcase = True  # as Django's own TestCase: durable blocks may stand within it
        self._block = block

    def __enter__(self) -> None:
        self._block.__enter__()

    def __exit__(self, *exception: Any) -> None:
        transaction.set_rollback(True)
        self._block.__exit__(None, None, None)


class Exactness(RuleBasedStateMachine):
    web: Source
    pos: Source
    steward: User
    colleague: User

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.__enter__()
        self.moment = 0  # of whatever happens
        self.arrivals: list[Callable[[], object]] = []  # what comes from outside, and erasures: in their order
        self.undoable: list[tuple[Operation, dict[str, str], int]] = []
        self.edits: list[tuple[AgentEdit, dict[str, str], int]] = []

    def teardown(self) -> None:
        try:
            self.undo_everything()
            assert rebuild.check() == []
            left = picture()
        finally:
            self.world.__exit__(None, None, None)
        with World():
            for arrival in self.arrivals:
                arrival()
            assert left == picture()

    # --- arrivals -------------------------------------------------------------------------------------------------

    def send(self, source: Source, message: dict[str, Any]) -> None:
        self.happen(lambda: arrive(source, message))

    def happen(self, arrival: Callable[[], object]) -> None:
        self.moment += 1
        self.arrivals.append(arrival)
        arrival()

    @rule(
        user=USERS, device=st.one_of(st.none(), DEVICES), email=EMAILS, phone=PHONES, birth_date=BIRTHS, name=NAMES,
        day=DAYS,
    )  # fmt: skip
    def user_identifies(self, user: str, device: str | None, day: int, name: dict[str, str], **stated: Any) -> None:
        self.send(self.web, identify(user, device=device, day=day, **known(name | stated)))

    @rule(number=ROWS, email=EMAILS, phone=PHONES, birth_date=BIRTHS, name=NAMES, day=DAYS)
    def row_arrives(self, number: str, day: int, name: dict[str, str], **stated: Any) -> None:
        self.send(self.pos, row(number, day=day, **known(name | stated)))

    @rule(user=USERS, device=st.one_of(st.none(), DEVICES), day=DAYS)
    def user_acts(self, user: str, device: str | None, day: int) -> None:
        self.send(self.web, track("Page Viewed", user, device=device, day=day))

    @rule(device=DEVICES, day=DAYS)
    def visitor_acts(self, device: str, day: int) -> None:
        self.send(self.web, track("Page Viewed", device=device, day=day))

    @rule(user=USERS, order=st.sampled_from(["o1", "o2"]), day=DAYS)
    def user_orders(self, user: str, order: str, day: int) -> None:
        self.send(
            self.web, track("Order Completed", user, day=day, order_id=f"{user}-{order}", total=9, currency="THB")
        )

    @rule(user=USERS, said=CONSENTS, day=DAYS)
    def user_decides_on_marketing(self, user: str, said: str, day: int) -> None:
        self.send(self.web, track(said, user, day=day, purpose="marketing", channel="email"))

    # --- decisions ------------------------------------------------------------------------------------------------

    @precondition(lambda self: Profile.objects.live().count() > 1)
    @rule(data=st.data())
    def steward_merges(self, data: st.DataObject) -> None:
        live = list(Profile.objects.live().order_by("pk"))
        chosen = data.draw(st.lists(st.sampled_from(live), min_size=2, max_size=3, unique_by=lambda one: one.pk))
        self.decide(lambda: merging.merge(profiles=chosen, by=self.steward, reason=""))

    @precondition(lambda self: any(len(group) > 1 for group in told_groups().values()))
    @rule(data=st.data())
    def steward_parts(self, data: st.DataObject) -> None:
        groups = {owner: records for owner, records in told_groups().items() if len(records) > 1}
        owner = data.draw(st.sampled_from(sorted(groups)))
        taken = data.draw(st.lists(st.sampled_from(groups[owner]), min_size=1, unique=True))[: len(groups[owner]) - 1]
        profile = Profile.objects.get(pk=owner)
        self.decide(lambda: merging.unmerge(profile=profile, records=taken, by=self.steward, reason=""))
        now = {number: group for group, records in told_groups().items() for number in records}
        assert {now[number] for number in taken}.isdisjoint(now[number] for number in set(groups[owner]) - set(taken))

    @precondition(lambda self: self.undoable)
    @rule()
    def steward_undoes_the_last(self) -> None:
        operation, before, moment = self.undoable.pop()
        self.undo(operation)
        if moment == self.moment:  # nothing has happened since
            assert state() == before
        self.moment += 1

    @precondition(lambda self: self.undoable)
    @rule(data=st.data())
    def steward_undoes_something_older(self, data: st.DataObject) -> None:
        operation, _before, _moment = data.draw(st.sampled_from(self.undoable))
        self.moment += 1
        self.undo(operation)

    def decide(self, decision: Callable[[], merging.Outcome]) -> None:
        before = state()
        self.moment += 1
        self.undoable.append((decision().operation, before, self.moment))

    def undo(self, operation: Operation) -> None:
        if standing(operation):
            merging.revert(operation=operation, by=self.steward, reason="")
            assert not standing(operation)
        else:  # undone before, or about people who are no more
            with pytest.raises(ConflictProblem):
                merging.revert(operation=operation, by=self.steward, reason="")

    @precondition(lambda self: MatchModel.objects.count() < 3)
    @rule(matcher=MATCHERS, attach=st.sampled_from([0.6, 0.9]))
    def model_is_taken_into_use(self, matcher: FakeMatcher, attach: float) -> None:
        """From now on it joins what arrives."""
        self.moment += 1
        activate(matcher, attach=attach, review=0.5)

    @precondition(lambda self: models_in_use().exists())
    @rule(data=st.data())
    def model_is_rolled_back(self, data: st.DataObject) -> None:
        self.moment += 1
        roll_back(data.draw(st.sampled_from(list(models_in_use()))), by=self.steward)

    @precondition(lambda self: MatchModel.objects.filter(status=MatchModel.Status.ACTIVE).exists())
    @rule(everything=st.booleans())
    def model_looks_at_night(self, everything: bool) -> None:
        self.moment += 1
        run = runs.start(by=self.steward, everything=everything)
        runs.run(str(run.pk))  # the job cluster's part
        run.refresh_from_db()
        assert run.status == MatchRun.Status.DONE

    @precondition(lambda self: waiting_pairs().exists())
    @rule(data=st.data(), verdict=VERDICTS)
    def steward_reviews(self, data: st.DataObject, verdict: str) -> None:
        self.moment += 1
        settling.decide(pair_id=data.draw(st.sampled_from(list(waiting_pairs()))).pk, verdict=verdict, by=self.steward)

    @precondition(lambda self: reviewed().exists())
    @rule(data=st.data())
    def steward_takes_a_verdict_back(self, data: st.DataObject) -> None:
        self.moment += 1
        settling.take_back(label_id=data.draw(st.sampled_from(list(reviewed()))).pk, by=self.steward)

    @precondition(lambda self: Profile.objects.people().exists())
    @rule(data=st.data())
    def steward_verifies(self, data: st.DataObject) -> None:
        self.moment += 1
        verified.verify(profile=data.draw(people()), by=self.steward)

    @precondition(lambda self: VerifiedRecord.objects.exists())
    @rule(data=st.data())
    def steward_takes_the_mark_back(self, data: st.DataObject) -> None:
        self.moment += 1
        verified.take_back(profile=data.draw(people(memberships__record__verified__isnull=False)), by=self.steward)

    @precondition(lambda self: SourceRecord.objects.filter(kind="identified").count() > 1)
    @rule(data=st.data())
    def steward_labels(self, data: st.DataObject) -> None:
        """Answers a question of training: a word about two records, which joins nobody."""
        self.moment += 1
        numbers = list(SourceRecord.objects.filter(kind="identified").order_by("pk").values_list("pk", flat=True))
        a, b = sorted(data.draw(st.lists(st.sampled_from(numbers), min_size=2, max_size=2, unique=True)))
        pair = ReviewPair(record_a_id=a, record_b_id=b)
        labels.give(pair=pair, verdict="same", origin="training", by=self.steward)

    @precondition(lambda self: Profile.objects.people().exists())
    @rule(data=st.data(), typed=TYPED)
    def agent_changes_a_value(self, data: st.DataObject, typed: tuple[str, str]) -> None:
        """What was put right is shown, whoever says otherwise."""
        trait, text = typed
        profile = data.draw(people())
        self.moment += 1
        record = notes.agent_record(profile, by=self.steward)  # born with the first change, and stays when it is undone
        before = state()
        seen = fields.load(profile, trait, by=self.steward)
        assert seen is not None
        shown = {field.trait.name: field.text for field in seen.fields}
        said = shown | {trait: text}
        try:
            done = changing.change(profile=profile, trait=trait, said=said, version=seen.version, by=self.steward)
        except MendableError:  # a source's value is not emptied here
            assert text == ""
            assert state() == before
            return
        if done.edit is not None:
            assert done.edit.record == record
            self.edits.append((done.edit, before, self.moment))
        if text:
            now = fields.load(profile, trait, by=self.steward)
            assert now is not None
            assert {field.trait.name: field.text for field in now.fields}[trait] == shown_as(trait, text)

    @precondition(lambda self: self.edits)
    @rule()
    def agent_undoes_the_last_change(self) -> None:
        edit, before, moment = self.edits.pop()
        self.undo_change(edit)
        if moment == self.moment:  # nothing has happened since
            assert state() == before
        self.moment += 1

    def undo_change(self, edit: AgentEdit) -> None:
        here = Membership.objects.filter(record=edit.record_id, valid_to=None).select_related("profile").first()
        if here is not None:  # else the person has been erased
            undoing.undo(profile=here.profile, edit_id=edit.pk, by=self.steward)

    # --- what cannot be undone ------------------------------------------------------------------------------------

    @precondition(lambda self: Profile.objects.people().exists())
    @rule(data=st.data())
    def agent_takes_a_note(self, data: st.DataObject) -> None:
        """It hangs on the record that the customer is called by just then, and goes where that goes."""
        self.moment += 1
        notes.add(profile=data.draw(people()), text="called", by=self.steward)

    @precondition(lambda self: bool(whole_people()))
    @rule(data=st.data())
    def person_is_erased(self, data: st.DataObject) -> None:
        """Only somebody of whom no part is held apart by a decision: else it would not be undone what is erased."""
        records = whole_people()[data.draw(st.sampled_from(sorted(whole_people())))]
        told = SourceRecord.objects.filter(pk__in=records).exclude(kind=SourceRecord.Kind.AGENT)
        names = [name_of(record) for record in told]
        self.happen(lambda: erase(names, steward=self.steward, colleague=self.colleague))

    # --- what holds -----------------------------------------------------------------------------------------------

    def undo_everything(self) -> None:
        for edit, _before, _moment in reversed(self.edits):
            self.undo_change(edit)
        decided = LinkDecision.objects.filter(kind="steward").order_by("-pk").values_list("operation_id", flat=True)
        for operation_id in filter(None, dict.fromkeys(decided)):
            self.undo(Operation.objects.get(pk=operation_id))
        for profile in Profile.objects.live().order_by("pk"):
            verified.take_back(profile=profile, by=self.steward)
        for label in MatchLabel.objects.filter(undone_at=None):
            labels.take_back(label=label, by=self.steward)
        for model in models_in_use():
            roll_back(model, by=self.steward)
        assert not active(
            logged.decision for logged in neighbourhood.read_all().decisions if logged.decision.kind != "deterministic"
        )

    @invariant()
    def everything_follows_from_what_is_true(self) -> None:
        assert rebuild.check() == []
        owners = dict(Membership.objects.filter(valid_to=None).values_list("record", "profile"))
        assert owners.keys() == set(SourceRecord.objects.values_list("pk", flat=True))
        assert set(owners.values()) == set(Profile.objects.live().values_list("pk", flat=True))
        for hanging in (Touchpoint, Order, Note):
            hung = hanging.objects.exclude(record=None).values_list("record", "profile")  # of orders a stub is kept
            assert all(owners[number] == owner for number, owner in hung)
        agents = SourceRecord.objects.filter(kind=SourceRecord.Kind.AGENT)
        assert all(owners[agent.pk] == owners[agent.tied_to_id or 0] for agent in agents)


def shown_as(trait: str, text: str) -> str:
    """What an agent typed, as the form shows it later."""
    if trait == "phone":
        return ", ".join(phone_text(number) for number in text.split(", "))
    return {"1/4/2533": "01/04/2533", "2/4/2533": "02/04/2533"}.get(text, text)


def known(stated: dict[str, Any]) -> dict[str, Any]:
    return {trait: value for trait, value in stated.items() if value}


def state() -> dict[str, str]:
    return hashes(list(Profile.objects.values_list("pk", flat=True)))


def told_groups() -> dict[int, list[int]]:
    """Profile → its records, without those of agents: these go where what they are tied to goes."""
    found: dict[int, list[int]] = {}
    told = Membership.objects.filter(valid_to=None).exclude(record__kind=SourceRecord.Kind.AGENT)
    for owner, number in told.values_list("profile", "record").order_by("record"):
        found.setdefault(owner, []).append(number)
    return found


def standing(operation: Operation) -> bool:
    """Whether anything that the operation decided counts."""
    rows = LinkDecision.objects.filter(operation_id=operation.pk, kind="steward").values_list("pk", flat=True)
    return not withdrawn(logged.decision for logged in neighbourhood.read_all().decisions).issuperset(rows)


def whole_people() -> dict[int, frozenset[int]]:
    """Live profile → its records, of people of whom evidence alone would join no record to anybody else's."""
    everything = neighbourhood.read_all()
    found = partition([record.evidence for record in everything.records.values()])
    owner_of = {number: record.profile_id for number, record in everything.records.items()}
    owners = [{owner_of[number] for number in one.records} for one in found.components]
    torn = {owner for several in owners if len(several) > 1 for owner in several}
    people = set(Profile.objects.people().values_list("pk", flat=True)) - torn
    return {owner: frozenset(number for number, its in owner_of.items() if its == owner) for owner in sorted(people)}


def people(**which: Any) -> st.SearchStrategy[Profile]:
    return st.sampled_from(list(Profile.objects.people().filter(**which).order_by("pk").distinct()))


def waiting_pairs() -> QuerySet[ReviewPair]:
    return ReviewPair.objects.filter(state=ReviewPair.State.WAITING).order_by("pk")


def reviewed() -> QuerySet[MatchLabel]:
    """What a person said in review and may take back."""
    return MatchLabel.objects.filter(undone_at=None, origin=MatchLabel.Origin.QUEUE).order_by("pk")


def models_in_use() -> QuerySet[MatchModel]:
    """In use now or before: what they have joined can be taken back."""
    return MatchModel.objects.filter(status__in=["active", "retired"]).order_by("version")


def roll_back(model: MatchModel, *, by: User) -> None:
    run = rollback.start(model=model, by=by)
    rollback.run(str(run.pk))  # the job cluster's part
    run.refresh_from_db()
    assert run.status == MatchRun.Status.DONE


def name_of(record: SourceRecord) -> Name:
    return record.source_id, record.kind, record.external_id


def owner_of(name: Name) -> Profile:
    record = dict(zip(("record__source", "record__kind", "record__external_id"), name, strict=True))
    return Membership.objects.select_related("profile").get(valid_to=None, **record).profile


def erase(names: list[Name], *, steward: User, colleague: User) -> None:
    """Erase whoever these records are; who is several people without decisions is one before."""
    owners = [owner_of(name) for name in names]
    distinct = list({owner.pk: owner for owner in owners}.values())
    if len(distinct) > 1:
        (person,) = merging.merge(profiles=distinct, by=steward, reason="").profiles
    else:
        (person,) = distinct
    asked = requests.receive(
        profile=person, received_at=timezone.now(), identity_checked="in_person", note="", by=steward
    )
    requests.approve(request_id=asked.pk, by=colleague)
    erasure.run(asked.pk)
    asked.refresh_from_db()
    assert asked.status == DataSubjectRequest.Status.COMPLETED
    pipeline.resolve_deferred(by="system:digest")  # whoever shared a key with them: the digest's next look


@pytest.mark.django_db
def test_exactness(web_shop: Source, pos: Source, steward: User, compliance: User) -> None:
    Exactness.web, Exactness.pos, Exactness.steward, Exactness.colleague = web_shop, pos, steward, compliance
    run_state_machine_as_test(
        Exactness, settings=settings(max_examples=15, stateful_step_count=15, deadline=None, phases=[Phase.generate])
    )
