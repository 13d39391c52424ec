"""Cases: what happens to them, who sees which part, and that they go with the person."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent, Department, User
from cdp_site.core.personal_data import Subject
from profiles import masking, merging
from profiles.cases import handling, presenting
from profiles.cases.handling import Said
from profiles.cases.personal_data import CaseHolder
from profiles.cases.presenting import Due, Whose
from profiles.models import Case, CaseNote, Membership, Profile, SourceRecord, Touchpoint
from tests.customers import identify, profile_of

pytestmark = pytest.mark.django_db

Act, Disposition = CaseNote.Act, CaseNote.Disposition


def opened(profile: Profile, by: User, subject: str = "เปลี่ยนที่อยู่จัดส่ง", **said: object) -> Case:
    return handling.open_case(profile=profile, subject=subject, said=Said(**said), by=by)  # type: ignore[arg-type]


def last_step(case: Case) -> UUID:
    step = case.notes.latest_first().first()
    assert step is not None
    return step.pk


@pytest.fixture
def tomorrow() -> date:
    return timezone.localdate() + timedelta(days=1)


@pytest.fixture
def colleague(make_user: Callable[..., User], care: Department) -> User:
    return make_user("agent", care, "colleague")


class TestSteps:
    def test_a_case_sits_on_the_agent_record_and_is_its_opener_s(
        self, somchai: Profile, agent: User, tomorrow: date
    ) -> None:
        case = opened(somchai, agent, text="ขอส่งที่ทำงาน", follow_up_on=tomorrow)
        record = SourceRecord.objects.get(kind="agent")
        assert (case.record, case.profile, case.assignee, case.department) == (record, somchai, agent, agent.department)
        assert record.tied_to == somchai.birth_record
        step = case.notes.get()
        assert (step.act, step.text, step.follow_up_on, step.author) == (Act.OPENED, "ขอส่งที่ทำงาน", tomorrow, agent)

    def test_a_note_says_what_came_of_it_and_when_to_go_on(self, somchai: Profile, agent: User, tomorrow: date) -> None:
        case = opened(somchai, agent)
        said = Said("ไม่รับสาย", Disposition.NOT_REACHED, tomorrow)
        case = handling.note(case=case, said=said, seen=last_step(case), by=agent)
        assert case.follow_up_on == tomorrow
        step = case.notes.latest_first()[0]
        assert (step.act, step.disposition) == (Act.NOTED, Disposition.NOT_REACHED)
        handling.note(case=case, said=Said("รับสายแล้ว"), seen=last_step(case), by=agent)
        case.refresh_from_db()
        assert case.follow_up_on is None

    def test_handing_over_makes_it_wait_in_the_other_department(
        self, somchai: Profile, agent: User, marketer: User, marketing: Department
    ) -> None:
        case = opened(somchai, agent, text="ลับเฉพาะฝ่ายบริการ")
        case = handling.hand_over(case=case, to=marketing, said=Said("ฝากดูคูปอง"), seen=last_step(case), by=agent)
        assert (case.department, case.assignee) == (marketing, None)
        assert presenting.due_count(by=marketer) == 1
        case = handling.take(case=case, seen=last_step(case), by=marketer)
        assert case.assignee == marketer
        assert presenting.due_count(by=marketer) == 0
        assert [step.act for step in case.notes.order_by("pk")] == [Act.OPENED, Act.HANDED_OVER, Act.TAKEN]

    def test_the_department_that_handed_it_over_reads_its_own_part_and_writes_no_more(
        self, somchai: Profile, agent: User, marketer: User, marketing: Department
    ) -> None:
        case = opened(somchai, agent, text="ของฝ่ายบริการ")
        case = handling.hand_over(case=case, to=marketing, said=Said(), seen=last_step(case), by=agent)
        case = handling.note(case=case, said=Said("ของการตลาด"), seen=last_step(case), by=marketer)
        mine = presenting.detail(case, by=agent)
        assert [step.note.act for step in mine.steps] == [Act.HANDED_OVER, Act.OPENED]
        assert not mine.can_work
        assert [step.text for step in presenting.detail(case, by=marketer).steps] == ["ของการตลาด", "", "ของฝ่ายบริการ"]
        with pytest.raises(ConflictProblem):
            handling.note(case=case, said=Said("ยังอยู่ไหม"), seen=last_step(case), by=agent)

    def test_closing_and_opening_again(self, somchai: Profile, agent: User, colleague: User, tomorrow: date) -> None:
        case = opened(somchai, agent, follow_up_on=tomorrow)
        case = handling.close(case=case, said=Said(), seen=last_step(case), by=agent)
        assert not case.is_open
        assert case.closed_at is not None
        assert case.follow_up_on is None
        assert case.notes.latest_first()[0].disposition == Disposition.SOLVED
        with pytest.raises(ConflictProblem):
            handling.note(case=case, said=Said("ช้าไป"), seen=last_step(case), by=agent)
        case = handling.reopen(case=case, by=colleague)
        assert case.is_open
        assert case.assignee == colleague
        assert handling.reopen(case=case, by=agent).assignee == colleague

    def test_nobody_answers_to_what_a_colleague_has_just_changed(
        self, somchai: Profile, agent: User, colleague: User
    ) -> None:
        case = opened(somchai, agent)
        seen = last_step(case)
        handling.note(case=case, said=Said("ก่อน"), seen=seen, by=colleague)
        for step in (
            lambda: handling.note(case=case, said=Said("หลัง"), seen=seen, by=agent),
            lambda: handling.close(case=case, said=Said(), seen=seen, by=agent),
            lambda: handling.note(case=case, said=Said("หลัง"), seen=uuid4(), by=agent),
        ):
            with pytest.raises(ConflictProblem):
                step()
        assert case.notes.count() == 2

    @pytest.mark.parametrize(
        ("subject", "said", "field"),
        [
            ("  ", Said(), "subject"),
            ("x", Said("x" * 4001), "text"),
            ("x", Said(follow_up_on=date(2020, 1, 1)), "follow_up_on"),
        ],
    )
    def test_what_cannot_be_opened(self, subject: str, said: Said, field: str, somchai: Profile, agent: User) -> None:
        with pytest.raises(MendableError) as problem:
            handling.open_case(profile=somchai, subject=subject, said=said, by=agent)
        assert problem.value.field == field
        assert not Case.objects.exists()

    def test_a_note_needs_words_or_an_outcome(self, somchai: Profile, agent: User) -> None:
        case = opened(somchai, agent)
        with pytest.raises(MendableError) as problem:
            handling.note(case=case, said=Said("  "), seen=last_step(case), by=agent)
        assert problem.value.field == "text"

    def test_it_is_not_handed_to_where_it_is(self, somchai: Profile, agent: User, care: Department) -> None:
        case = opened(somchai, agent)
        with pytest.raises(MendableError) as problem:
            handling.hand_over(case=case, to=care, said=Said(), seen=last_step(case), by=agent)
        assert problem.value.field == "to"

    def test_a_customer_who_was_merged_away_gets_no_case(self, somchai: Profile, manee: Profile, steward: User) -> None:
        merging.merge(profiles=[somchai, manee], by=steward, reason="")
        gone = min(somchai, manee, key=lambda one: Profile.objects.live().filter(pk=one.pk).exists())
        with pytest.raises(ConflictProblem):
            opened(gone, steward)

    def test_the_database_knows_no_half_closed_case(self, somchai: Profile, agent: User) -> None:
        case = opened(somchai, agent)
        with pytest.raises(IntegrityError), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(status=Case.Status.CLOSED)


def test_the_audit_names_fields_and_no_words(somchai: Profile, agent: User, tomorrow: date) -> None:
    case = opened(somchai, agent, subject="ความลับ", text="ความลับ", follow_up_on=tomorrow)
    handling.close(case=case, said=Said("ความลับ"), seen=last_step(case), by=agent)
    events = AuditEvent.objects.filter(target_id=str(case.pk)).order_by("pk")
    assert [(event.action, event.fields, event.actor) for event in events] == [
        ("case.opened", ["follow_up_on", "subject", "text"], f"user:{agent.pk}"),
        ("case.closed", ["disposition", "status", "text"], f"user:{agent.pk}"),
    ]


def test_the_timeline_tells_of_it_and_not_what_it_is_about(
    somchai: Profile, agent: User, marketing: Department
) -> None:
    case = opened(somchai, agent, subject="ความลับ")
    case = handling.note(case=case, said=Said("ความลับ"), seen=last_step(case), by=agent)
    case = handling.hand_over(case=case, to=marketing, said=Said("ความลับ"), seen=last_step(case), by=agent)
    told = Touchpoint.objects.filter(profile=somchai, source__slug="cdp").order_by("occurred_at")
    assert [row.type.name for row in told] == ["Case Opened", "Case Handed Over"]
    assert all(row.type.name_th for row in told)
    assert {row.record_id for row in told} == {case.record_id}
    assert [row.properties for row in told] == [{"case_id": str(case.pk)}] * 2


class TestWhoSees:
    def test_a_department_sees_its_own_and_common_ones(
        self,
        somchai: Profile,
        agent: User,
        marketer: User,
        steward: User,
        outsider: User,
        make_user: Callable[..., User],
    ) -> None:
        of_care = opened(somchai, agent)
        common = opened(somchai, make_user("agent", None, "without department"))
        assert set(Case.objects.visible_to(agent)) == {of_care, common}
        assert set(Case.objects.visible_to(steward)) == {of_care, common}
        assert set(Case.objects.visible_to(marketer)) == {common}
        assert not Case.objects.visible_to(outsider).exists()

    def test_who_has_no_department_sees_common_ones_alone(
        self, somchai: Profile, agent: User, make_user: Callable[..., User]
    ) -> None:
        opened(somchai, agent)
        nobody_s = make_user("agent", None, "without department")
        assert not Case.objects.visible_to(nobody_s).exists()
        common = opened(somchai, nobody_s)
        assert Case.objects.visible_to(nobody_s).get() == common

    def test_numbers_and_addresses_in_it_are_masked_where_the_customer_is_not_open(
        self, somchai: Profile, agent: User, steward: User
    ) -> None:
        case = opened(somchai, agent, subject="โทร 081-987-6543", text="เขียนถึง ann@baansabai.co.th")
        for by, number, address in ((agent, "081-987-6543", "ann@"), (steward, "081-987-6543", "ann@")):
            detail = presenting.detail(case, by=by)
            shows = masking.shows_identifiers(by, somchai.pk)
            assert (number in detail.subject, address in detail.steps[0].text) == (shows, shows)
            assert (number in presenting.of_customer(somchai, by=by).open[0].subject) == shows
        assert not masking.shows_identifiers(agent, somchai.pk)


class TestLists:
    def test_what_is_due_comes_first(self, somchai: Profile, agent: User, tomorrow: date) -> None:
        today = timezone.localdate()
        undated, later, now = (opened(somchai, agent, follow_up_on=day) for day in (None, tomorrow, today))
        late = opened(somchai, agent, follow_up_on=today)
        Case.objects.filter(pk=late.pk).update(follow_up_on=today - timedelta(days=1))
        found = presenting.of_customer(somchai, by=agent)
        assert [line.case for line in found.open] == [late, now, later, undated]
        assert [line.due for line in found.open] == [Due.OVERDUE, Due.TODAY, Due.LATER, Due.NEVER]
        assert presenting.due_count(by=agent) == 2
        assert presenting.open_count(somchai, by=agent) == 4

    def test_closed_ones_stand_apart(self, somchai: Profile, agent: User) -> None:
        first, second, third = (opened(somchai, agent) for _time in range(3))
        for case in (first, second):
            handling.close(case=case, said=Said(), seen=last_step(case), by=agent)
        found = presenting.of_customer(somchai, by=agent)
        assert [line.case for line in found.open] == [third]
        assert [line.case for line in found.closed] == [second, first]

    def test_follow_ups_are_mine_unclaimed_or_the_department_s(
        self, somchai: Profile, agent: User, colleague: User, marketer: User, care: Department, marketing: Department
    ) -> None:
        mine, theirs = opened(somchai, agent), opened(somchai, colleague)
        back = opened(somchai, marketer)
        handling.hand_over(case=back, to=care, said=Said(), seen=last_step(back), by=marketer)

        def found(whose: Whose, by: User) -> set[Case]:
            return {line.case for line in presenting.follow_ups(whose, by=by).lines}

        assert found(Whose.MINE, agent) == {mine}
        assert found(Whose.UNCLAIMED, agent) == {back}
        assert found(Whose.DEPARTMENT, agent) == {mine, theirs, back}
        assert found(Whose.DEPARTMENT, marketer) == set()

    def test_customers_out_of_sight_are_not_listed(
        self, manee: Profile, make_user: Callable[..., User], agent: User, care: Department, marketer: User
    ) -> None:
        case = opened(manee, marketer)
        handling.hand_over(case=case, to=care, said=Said(), seen=last_step(case), by=marketer)
        assert presenting.follow_ups(Whose.UNCLAIMED, by=agent).lines
        # Without the agents' own source nothing of her is left that care may see.
        SourceRecord.objects.filter(kind="agent").update(source=manee.birth_record.source)
        assert not presenting.follow_ups(Whose.UNCLAIMED, by=agent).lines


class TestMergeAndUnmerge:
    def test_an_unmerge_asks_where_cases_go_that_were_written_on_since(
        self, somchai: Profile, manee: Profile, steward: User, agent: User
    ) -> None:
        case = opened(manee, agent)
        done = merging.merge(profiles=[somchai, manee], by=steward, reason="")
        together = done.profiles[0]
        case.refresh_from_db()
        assert case.profile == together
        hers = list(SourceRecord.objects.filter(external_id="u7").values_list("pk", flat=True))
        assert not merging.preview_unmerge(together, hers).unclear_notes
        handling.note(case=case, said=Said("หลังรวม"), seen=last_step(case), by=agent)
        assert list(merging.preview_unmerge(together, hers).unclear_notes) == [case.record_id]
        merging.revert(operation=done.operation, by=steward, reason="")
        case.refresh_from_db()
        assert case.profile == manee


class TestPersonalData:
    def subject(self, profile: Profile) -> Subject:
        records = Membership.objects.filter(profile=profile, valid_to=None).values_list("record", flat=True)
        return Subject((profile.pk,), tuple(records), (profile.public_id,))

    def test_located_exported_and_erased(self, somchai: Profile, tell: Callable[..., None], agent: User) -> None:
        case = opened(somchai, agent, subject="ที่อยู่ใหม่", text="บ้านเลขที่ 9")
        pos = SourceRecord.objects.get(external_id="P1").source
        tell(pos, identify("P9", firstName="ปิติ", lastName="ชูใจ"))
        other = opened(profile_of(pos, "P9"), agent)
        holder, about = CaseHolder(), self.subject(somchai)
        assert holder.locate(about) == {"profiles.CaseNote": 1, "profiles.Case": 1}
        exported = holder.export(about)
        assert exported["profiles.Case"][0]["subject"] == "ที่อยู่ใหม่"
        assert exported["profiles.CaseNote"][0]["text"] == "บ้านเลขที่ 9"
        assert holder.erase(about).erased == {"profiles.CaseNote": 1, "profiles.Case": 1}
        assert list(Case.objects.all()) == [other]
        assert not CaseNote.objects.filter(case=case.pk).exists()
