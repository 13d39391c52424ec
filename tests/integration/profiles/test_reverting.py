"""Taking an import back: what it created goes, what it changed returns, what others did stays."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from cdp_site.core import reverts
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, Operation
from consent import ledger
from consent.gate import may_use
from consent.models import Channel, ConsentEntry, Purpose, VoidEntry
from consent.states import State
from ingestion.models import FileImport
from profiles import merging, notes, rebuild
from profiles.models import (
    Identifier,
    IdentifierKey,
    LinkDecision,
    NameToken,
    Order,
    OrderLine,
    OrderShare,
    Profile,
    RecordShare,
    Refund,
    Revert,
    SourceRecord,
    SourceRecordVersion,
    Touchpoint,
    TouchpointShare,
)
from profiles.reverting import forgetting, job
from tests.factories.arrivals import arrive, identify, row, tomorrow, track
from tests.factories.files import ORDERS, PEOPLE, PEOPLE_WITH_CONSENT, VISITS, bring_in, definition
from tests.factories.picture import picture

pytestmark = pytest.mark.django_db

HEAD = "id,name,phone,email,city\n"
ANN = "P1,สุดา รักดี,0863451972,suda@baansabai.co.th,เชียงใหม่\n"
BEA = "P2,ประสิทธิ์ ใจดี,0819876543,,ลำพูน\n"


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


def revert(file_import: FileImport, *, lifts_denials: bool = False) -> Revert:
    """From the button to the end of the job."""
    assert file_import.operation_id is not None
    begun = job.start(file_import.operation_id, lifts_denials=lifts_denials, by="system:test")
    job.run(str(begun.pk))
    begun.refresh_from_db()
    assert begun.status == Revert.Status.DONE
    assert rebuild.check() == []
    return begun


class TestWhatItCreated:
    def test_people_vanish_with_all_that_is_theirs(self, pos):
        file_import = bring_in(pos, HEAD + ANN + BEA)
        tokens = NameToken.objects.count()
        assert tokens

        done = revert(file_import)

        for model in (SourceRecord, Profile, Identifier, IdentifierKey, NameToken, SourceRecordVersion, LinkDecision):
            assert not model.objects.exists(), model
        assert done.done["records"] == done.foreseen["records"] == 2
        assert done.done["people"] == done.foreseen["people"] == 2

    def test_events_and_orders_vanish(self, pos):
        people = bring_in(pos, HEAD + ANN)
        before = picture()
        visits = bring_in(pos, "id,at,what,page\nP1,2026-03-01,Page Viewed,/a\nP9,2026-03-01,Page Viewed,/a\n", VISITS)
        sales = bring_in(pos, "id,at,order,sku,quantity,price\nP1,2026-03-02,R1,S1,1,100\n", ORDERS)

        assert revert(visits).done["touchpoints"] == 2
        assert revert(sales).done["orders"] == 1

        assert picture() == before
        assert (Touchpoint.objects.count(), Order.objects.count(), OrderLine.objects.count()) == (0, 0, 0)
        assert SourceRecord.objects.get().operation_id == people.operation_id

    def test_the_same_file_can_be_imported_again(self, pos):
        sales = "id,at,order,sku,quantity,price\nP1,2026-03-02,R1,S1,1,100\n"
        refunds = definition(
            "orders", id="record_id", at="timestamp", order=("order", "id"), total=("order", "total"), what="event"
        )
        files = (
            (HEAD + ANN, PEOPLE),
            (sales, ORDERS),
            ("id,at,order,total,what\nP1,2026-03-05,R1,60,Order Refunded\n", refunds),
            ("id,at,what,page\nP1,2026-03-01,Page Viewed,/a\n", VISITS),
        )
        imports = [bring_in(pos, text, mapping) for text, mapping in files]
        first = picture(times=False)
        for file_import in reversed(imports):
            revert(file_import)
        assert not SourceRecord.objects.exists()
        assert not Refund.objects.exists()

        for text, mapping in files:
            bring_in(pos, text, mapping)

        assert picture(times=False) == first

    def test_a_killed_job_goes_on(self, pos, monkeypatch):
        file_import = bring_in(pos, HEAD + ANN + BEA)
        begun = job.start(file_import.operation_id, lifts_denials=False, by="system:test")
        chunks = [(do, 1) for do, _most in job._CHUNKS]
        monkeypatch.setattr(job, "_CHUNKS", chunks)
        monkeypatch.setattr(job, "BUDGET_SECONDS", 0.0)

        job.run(str(begun.pk))
        begun.refresh_from_db()
        assert (begun.status, begun.done["records"], SourceRecord.objects.count()) == ("running", 1, 1)
        assert rebuild.check() == []
        while begun.status == "running":
            job.run(str(begun.pk))
            begun.refresh_from_db()

        assert (begun.status, begun.done["records"]) == ("done", 2)
        assert not SourceRecord.objects.exists()

    def test_a_job_that_dies_again_and_again_ends(self, pos):
        file_import = bring_in(pos, HEAD + ANN)
        begun = job.start(file_import.operation_id, lifts_denials=False, by="system:test")
        Revert.objects.update(attempts=job.MOST_ATTEMPTS)

        job.run(str(begun.pk))

        begun.refresh_from_db()
        assert begun.status == Revert.Status.FAILED

    def test_it_begins_once_and_is_audited(self, pos, steward):
        file_import = bring_in(pos, HEAD + ANN)
        job.start(file_import.operation_id, lifts_denials=True, by=steward)

        with pytest.raises(ConflictProblem):
            job.start(file_import.operation_id, lifts_denials=False, by=steward)

        said = AuditEvent.objects.get(action="operation.revert")
        assert (said.target_id, said.actor, said.fields) == (
            str(file_import.operation_id),
            f"user:{steward.pk}",
            ["denials", "records"],
        )


class TestWhatItChanged:
    def test_values_return(self, pos):
        bring_in(pos, HEAD + ANN)
        before = picture()
        second = bring_in(pos, HEAD + "P1,สุดา ใจงาม,0899999991,suda@baansabai.co.th,ลำพูน\n")
        assert picture() != before

        done = revert(second)

        assert picture() == before
        assert done.done["values"] == 4  # name, last name, phone, city
        assert SourceRecordVersion.objects.order_by("pk").last().operation_id == done.pk
        assert RecordShare.objects.count() == 1

    def test_a_value_that_somebody_changed_later_stays(self, pos):
        bring_in(pos, HEAD + ANN)
        second = bring_in(pos, HEAD + "P1,สุดา รักดี,0899999991,suda@baansabai.co.th,ลำพูน\n")
        arrive(pos, row("P1", day=tomorrow(), city="Lamphun"))

        revert(second)

        attributes = SourceRecord.objects.get().attributes
        assert (attributes["phone"], attributes["city"]) == ("+66863451972", "Lamphun")

    def test_the_first_goes_and_the_second_stays(self, pos):
        first = bring_in(pos, HEAD + ANN)
        second = bring_in(pos, HEAD + "P1,สุดา รักดี,0899999991,,ลำพูน\n")

        revert(first)

        record = SourceRecord.objects.get()
        assert record.operation_id == second.operation_id
        assert record.attributes == {
            "name": "สุดา รักดี",
            "first_name": "สุดา",
            "last_name": "รักดี",
            "phone": "+66899999991",
            "city": "ลำพูน",
        }
        assert [one.value for one in Identifier.objects.all()] == ["+66899999991"]
        revert(second)
        assert not SourceRecord.objects.exists()

    def test_what_both_said_stays_with_the_other(self, pos):
        first = bring_in(pos, HEAD + ANN)
        second = bring_in(pos, HEAD + ANN)
        before = picture(times=False)

        revert(first)

        assert picture(times=False) == before
        assert SourceRecord.objects.get().operation_id == second.operation_id

    def test_what_the_shop_says_itself_stays(self, pos):
        file_import = bring_in(pos, HEAD + "U1,สุดา รักดี,0863451972,,เชียงใหม่\n")
        arrive(pos, identify("U1", day=tomorrow(), email="suda@baansabai.co.th"))

        revert(file_import)

        record = SourceRecord.objects.get()
        assert (record.operation_id, record.attributes) == (None, {"email": "suda@baansabai.co.th"})
        assert Profile.objects.get().golden == {"email": "suda@baansabai.co.th"}

    def test_a_record_on_which_others_acted_stays_without_its_part(self, pos):
        file_import = bring_in(pos, HEAD + "U1,สุดา รักดี,0863451972,,เชียงใหม่\n")
        arrive(pos, track("Page Viewed", "U1"))

        assert revert(file_import).done["records_kept"] == 1

        record = SourceRecord.objects.get()
        assert (record.operation_id, record.attributes) == (None, {})
        assert Touchpoint.objects.get().record == record
        assert not Identifier.objects.exclude(kind="user").exists()

    def test_lines_of_an_order_return(self, pos):
        head = "id,at,order,sku,quantity,price\n"
        bring_in(pos, head + "P1,2026-03-02,R1,S1,1,100\nP1,2026-03-02,R1,S2,2,50\n", ORDERS)
        before = picture()
        second = bring_in(pos, head + "P1,2026-03-03,R1,S1,9,100\nP1,2026-03-03,R1,S3,1,7\n", ORDERS)
        assert Order.objects.get().total == 1007

        done = revert(second)

        assert picture() == before
        assert (done.done["orders_changed"], Order.objects.get().total) == (1, 200)
        assert Touchpoint.objects.get().order_id == Order.objects.get().pk

    def test_an_order_that_another_told_of_is_as_that_one_told_it(self, pos):
        head = "id,at,order,sku,quantity,price\n"
        other = head + "P1,2026-03-02,R1,S1,9,100\nP1,2026-03-02,R1,S3,1,7\n"
        second = bring_in(pos, other, ORDERS)
        alone = picture()
        revert(second)
        first = bring_in(pos, head + "P1,2026-03-02,R1,S1,1,100\nP1,2026-03-02,R1,S2,2,50\n", ORDERS)
        second = bring_in(pos, other, ORDERS)
        assert OrderLine.objects.count() == 3

        revert(first)

        assert picture() == alone
        assert Order.objects.get().operation_id == second.operation_id
        assert Touchpoint.objects.get().order_id == Order.objects.get().pk
        revert(second)
        assert not SourceRecord.objects.exists()
        assert not OrderShare.objects.exists()

    def test_an_event_that_another_file_brought_as_well_stays(self, pos):
        text = "id,at,what,page\nP1,2026-03-01,Page Viewed,/a\n"
        first, second = bring_in(pos, text, VISITS), bring_in(pos, text, VISITS)
        before = picture()

        revert(first)

        assert picture() == before
        revert(second)
        assert not Touchpoint.objects.exists()
        assert not SourceRecord.objects.exists()


class TestWhoIsWho:
    def test_a_merge_that_rested_on_it_comes_apart(self, pos, web_shop, call_centre):
        arrive(web_shop, identify("u1", phone="0863451972"))
        arrive(call_centre, identify("c1", email="suda@baansabai.co.th"))
        before = picture()
        joining = bring_in(pos, HEAD + ANN)
        assert Profile.objects.live().count() == 1

        done = revert(joining)

        assert picture() == before
        assert done.done["people_split"] == done.foreseen["people_split"] == 1
        assert Profile.objects.live().count() == 2

    def test_those_whom_a_steward_joined_by_way_of_it_stay_together(self, pos, web_shop, call_centre, steward):
        arrive(web_shop, identify("u1", phone="0812345678"))
        arrive(call_centre, identify("c1", email="other@baansabai.co.th"))
        file_import = bring_in(pos, HEAD + ANN)
        merging.merge(profiles=list(Profile.objects.live()), by=steward, reason="บัตรประชาชน")

        revert(file_import)

        assert Profile.objects.live().count() == 1
        assert SourceRecord.objects.count() == 2

    def test_customers_about_whom_staff_wrote_stay(self, pos, agent):
        file_import = bring_in(pos, HEAD + ANN + BEA)
        profile = Profile.objects.get(birth_record__external_id="P1")
        notes.add(profile=profile, text="โทรกลับวันจันทร์", by=agent)
        foreseen = reverts.reverter().foresee(file_import.operation_id)
        assert [line.number for line in foreseen.lines if line.is_warning] == [1]

        revert(file_import)

        kept = Profile.objects.live().get()
        assert kept.pk == profile.pk
        assert kept.notes.get().text == "โทรกลับวันจันทร์"
        assert SourceRecord.objects.get(external_id="P1").attributes == {}


class TestConsents:
    HEAD = "id,name,phone,email,city,news\n"

    def usable(self) -> list[str]:
        purpose = Purpose.objects.get(slug="marketing")
        return [
            address
            for profile in Profile.objects.live().order_by("pk")
            for address in may_use(profile, purpose, Channel.EMAIL).addresses
        ]

    def test_a_grant_loses_its_effect_and_stays_in_the_ledger(self, pos):
        bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,\n", PEOPLE_WITH_CONSENT)
        before = picture()
        asked = bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,Y\n", PEOPLE_WITH_CONSENT)
        assert self.usable() == ["suda@baansabai.co.th"]

        done = revert(asked)

        assert self.usable() == []
        assert picture() == before
        assert VoidEntry.objects.get().entry == ConsentEntry.objects.get()
        assert done.done["grants"] == 1

    def test_a_refusal_stays_in_force_unless_somebody_lifts_it(self, pos):
        bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,Y\n", PEOPLE_WITH_CONSENT)
        before = picture()
        refused = [
            bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,N\n", PEOPLE_WITH_CONSENT) for _ in range(2)
        ]
        assert reverts.reverter().foresee(refused[0].operation_id).protected == 1

        assert revert(refused[1]).done.get("denials_kept", 0) == 0  # it only repeated
        assert revert(refused[0]).done["denials_kept"] == 1
        assert self.usable() == []

        again = bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,Y\n", PEOPLE_WITH_CONSENT)
        assert self.usable() == ["suda@baansabai.co.th"]
        refused.append(bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,N\n", PEOPLE_WITH_CONSENT))
        revert(refused[2], lifts_denials=True)
        assert self.usable() == ["suda@baansabai.co.th"]
        assert again.operation_id
        assert before

    def test_what_another_file_repeated_is_that_ones(self, pos):
        text = self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,{}\n"
        for answer, usable in (("Y", ["suda@baansabai.co.th"]), ("N", [])):
            first = bring_in(pos, text.format(answer), PEOPLE_WITH_CONSENT)
            second = bring_in(pos, text.format(answer), PEOPLE_WITH_CONSENT)
            revert(first, lifts_denials=True)
            assert self.usable() == usable
            said = ConsentEntry.objects.standing().get()
            assert (said.operation_id, said.state) == (
                second.operation_id,
                State.GRANTED if answer == "Y" else State.REFUSED,
            )
            revert(second, lifts_denials=True)
            assert not SourceRecord.objects.exists()

    def test_the_refusal_of_a_record_that_vanishes_is_inherited(self, pos, web_shop):
        arrive(web_shop, identify("u1", email="suda@baansabai.co.th"))
        arrive(web_shop, track("Consent Granted", "u1", day=1, purpose="marketing", channel="email"))
        assert self.usable() == ["suda@baansabai.co.th"]
        file_import = bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,N\n", PEOPLE_WITH_CONSENT)
        assert self.usable() == []
        assert reverts.reverter().foresee(file_import.operation_id).protected == 1

        done = revert(file_import)

        assert (done.done["records"], done.done["denials_kept"]) == (1, 1)
        assert self.usable() == []
        heir = ConsentEntry.objects.get(state="refused")
        assert (heir.record.external_id, heir.operation_id) == ("u1", done.pk)

    def test_a_refusal_of_somebody_who_goes_altogether_goes_with_them(self, pos):
        file_import = bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,N\n", PEOPLE_WITH_CONSENT)
        assert reverts.reverter().foresee(file_import.operation_id).protected == 0

        revert(file_import)

        assert not ConsentEntry.objects.exists()
        assert not SourceRecord.objects.exists()

    def test_what_the_customer_told_staff_keeps_the_customer(self, pos, agent):
        file_import = bring_in(pos, self.HEAD + "P1,สุดา,,suda@baansabai.co.th,,Y\n", PEOPLE_WITH_CONSENT)
        ledger.record(
            record=SourceRecord.objects.get(),
            purpose=Purpose.objects.get(slug="marketing"),
            channel=Channel.EMAIL,
            state=State.REFUSED,
            evidence=ledger.Evidence.CALL,
            by=agent,
        )

        revert(file_import)

        assert SourceRecord.objects.get().attributes == {}
        assert ConsentEntry.objects.standing().get().state == State.REFUSED


def test_states_are_told_for_many_at_once(pos, django_assert_num_queries):
    first, second = bring_in(pos, HEAD + ANN), bring_in(pos, HEAD + BEA)
    revert(first)

    with django_assert_num_queries(1):
        states = reverts.reverter().states([first.operation_id, second.operation_id])

    assert list(states) == [first.operation_id]
    assert not states[first.operation_id].is_under_way
    assert [line.number for line in states[first.operation_id].lines] == [1, 1]


def test_taking_out_again_changes_nothing(pos):
    file_import = bring_in(pos, HEAD + ANN)
    job.take_out(file_import.operation_id, "system:test")
    job.take_out(file_import.operation_id, "system:test")
    job.take_out(UUID(int=1), "system:test")

    assert not SourceRecord.objects.exists()


class TestForgetting:
    """After a month what each import said is no longer told apart, and the tables that kept it are small again."""

    @pytest.fixture
    def age(self):
        def make_old(*imports: FileImport) -> None:
            Operation.objects.filter(pk__in=[one.operation_id for one in imports]).update(
                at=timezone.now() - job.FORGETS_AFTER - timedelta(hours=1)
            )

        return make_old

    def test_an_old_import_cannot_be_taken_back(self, pos, age):
        file_import = bring_in(pos, HEAD + ANN)
        age(file_import)

        assert reverts.reverter().foresee(file_import.operation_id).refusal
        with pytest.raises(ConflictProblem):
            job.start(file_import.operation_id, lifts_denials=False, by="system:test")

    def test_old_shares_go(self, pos, age):
        sales = "id,at,order,sku,quantity,price\nP1,2026-03-02,R1,S{},1,100\n"
        visits = "id,at,what,page\nP1,2026-03-01,Page Viewed,/a\n"
        imports = [bring_in(pos, HEAD + ANN), bring_in(pos, HEAD + ANN.replace("เชียงใหม่", "ลำพูน"))]
        imports += [bring_in(pos, sales.format(n), ORDERS) for n in (1, 2)]
        imports += [bring_in(pos, visits, VISITS) for _ in range(2)]
        assert (RecordShare.objects.count(), OrderShare.objects.count(), TouchpointShare.objects.count()) == (2, 2, 2)
        before = picture()
        age(*imports)

        assert forgetting.forget_old()

        assert picture() == before
        assert (RecordShare.objects.count(), OrderShare.objects.count(), TouchpointShare.objects.count()) == (0, 0, 0)
        assert forgetting.forget_old() == 0

    def test_a_recent_one_can_still_be_taken_back(self, pos, age):
        sales = "id,at,order,sku,quantity,price\nP1,2026-03-02,R1,S1,{},100\n"
        old = [bring_in(pos, HEAD + ANN), bring_in(pos, HEAD + ANN.replace("เชียงใหม่", "ลำพูน"))]
        old += [bring_in(pos, sales.format(1), ORDERS), bring_in(pos, sales.format(2), ORDERS)]
        before = picture()
        recent = [bring_in(pos, HEAD + ANN.replace("เชียงใหม่", "น่าน")), bring_in(pos, sales.format(3), ORDERS)]
        age(*old)

        forgetting.forget_old()
        for file_import in recent:
            revert(file_import)

        assert picture() == before
