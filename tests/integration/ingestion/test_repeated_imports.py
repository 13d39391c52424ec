"""The same rows imported again: what says nothing new is a duplicate, what went to and fro is not."""

import pytest

from ingestion import equation, landing
from ingestion.equation import Equation
from ingestion.models import InboundBatch
from profiles import digest
from profiles.models import Order, OrderLine, Profile, Refund, SourceRecord, SourceRecordVersion, Touchpoint
from tests.factories.arrivals import arrive, row, tomorrow
from tests.factories.files import ORDERS, PEOPLE, PEOPLE_WITH_CONSENT, bring_in, definition, land

pytestmark = pytest.mark.django_db

HEAD = "id,name,phone,email,city\n"
A = HEAD + "P1,สมชาย ใจดี,0863451972,somchai@baansabai.co.th,เชียงใหม่\n"
B = HEAD + "P1,สมชาย ใจดี,0819876543,somchai@baansabai.co.th,ลำพูน\n"


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


def counts(file_import) -> tuple[int, int]:
    """(stored, duplicate); the equation holds."""
    account = equation.of_import(file_import)
    assert account.holds
    assert account.waiting == 0
    return account.stored, account.duplicate


def now() -> tuple[str, str]:
    record = SourceRecord.objects.get()
    return record.attributes["phone"], record.attributes["city"]


def test_a_row_that_went_to_and_fro_is_taken_again(pos):
    for text, phone, city in (
        (A, "+66863451972", "เชียงใหม่"),
        (B, "+66819876543", "ลำพูน"),
        (A, "+66863451972", "เชียงใหม่"),
    ):
        assert counts(bring_in(pos, text)) == (1, 0)
        assert now() == (phone, city)
    assert SourceRecordVersion.objects.count() == 3
    current = SourceRecord.objects.get().identifiers.filter(kind="phone", is_current=True)
    assert [one.value for one in current] == ["+66863451972"]


def test_an_unchanged_row_leaves_no_trace(pos):
    bring_in(pos, A)
    before = SourceRecord.objects.values().get()

    assert counts(bring_in(pos, A)) == (0, 1)

    assert SourceRecord.objects.values().get() == before
    assert SourceRecordVersion.objects.count() == 1


def test_a_placeholder_that_is_repeated_is_no_news(pos):
    rows = HEAD + "P1,สมชาย ใจดี,0999999999,noemail@x,\n"

    assert [counts(bring_in(pos, rows)) for _ in range(2)] == [(1, 0), (0, 1)]


def test_an_unchanged_cell_stays_as_old_as_it_is(pos):
    bring_in(pos, A)
    first = SourceRecord.objects.get().attribute_times

    bring_in(pos, B)

    times = SourceRecord.objects.get().attribute_times
    assert times["first_name"] == first["first_name"]
    assert times["city"] > first["city"]


def test_files_whose_chunks_lie_between_each_other(pos):
    """Both are landed before anything is digested: one step sees A, B and A again."""
    first, second, third = land(pos, A), land(pos, B), land(pos, A)
    digest.drain()

    assert [counts(one) for one in (first, second, third)] == [(1, 0)] * 3
    assert now() == ("+66863451972", "เชียงใหม่")
    fourth, fifth = land(pos, A), land(pos, A)
    digest.drain()
    assert [counts(one) for one in (fourth, fifth)] == [(0, 1)] * 2


def test_equal_rows_of_one_file_count_once(pos):
    assert counts(bring_in(pos, A + A.removeprefix(HEAD))) == (1, 1)


def test_a_chunk_that_is_landed_twice_counts_once(pos):
    file_import = land(pos, A)
    batch = InboundBatch.objects.get()
    landing.land(
        source=pos,
        messages_raw=bytes(batch.raw),
        n_items=1,
        door="file",
        file_import=file_import,
        operation_id=file_import.operation_id,
    )
    digest.drain()
    assert counts(file_import) == (1, 1)

    bring_in(pos, B)
    landing.land(
        source=pos,
        messages_raw=bytes(batch.raw),
        n_items=1,
        door="file",
        file_import=file_import,
        operation_id=file_import.operation_id,
    )
    digest.drain()
    assert counts(file_import) == (1, 2)
    assert now() == ("+66819876543", "ลำพูน")


def test_what_is_newer_than_the_file_stays(pos):
    bring_in(pos, A)
    arrive(pos, row("P1", day=tomorrow(), city="Lamphun"))  # later than the file came, by its own clock
    assert SourceRecord.objects.get().attributes["city"] == "Lamphun"

    assert counts(bring_in(pos, B)) == (1, 0)  # it says something new, although too late to hold
    assert now() == ("+66819876543", "Lamphun")


def test_a_row_whose_consent_changed_alone_is_no_duplicate(pos):
    head = "id,name,phone,email,city,news\n"
    rows = head + "P1,สมชาย,,somchai@baansabai.co.th,,{}\n"

    said = [bring_in(pos, rows.format(answer), PEOPLE_WITH_CONSENT) for answer in "YYNY"]

    assert [counts(one) for one in said] == [(1, 0), (0, 1), (1, 0), (1, 0)]


def test_a_dated_row_that_is_older_is_kept_out_by_its_time(pos):
    dated = PEOPLE | {"fields": [*PEOPLE["fields"], {"from": "at", "to": "timestamp"}]}
    head = "id,name,phone,email,city,at\n"

    newer = bring_in(pos, head + "P1,,,,ลำพูน,2026-03-02\n", dated)
    older = bring_in(pos, head + "P1,,,,เชียงใหม่,2026-03-01\n", dated)
    again = bring_in(pos, head + "P1,,,,ลำพูน,2026-03-02\n", dated)

    assert [counts(one) for one in (newer, older, again)] == [(1, 0), (1, 0), (0, 1)]
    assert SourceRecord.objects.get().attributes["city"] == "ลำพูน"


class TestOrders:
    HEAD = "id,at,order,sku,quantity,price\n"
    ONE = HEAD + "P1,2026-03-01,R1,S1,1,100\nP1,2026-03-01,R1,S2,2,50\n"
    OTHER = HEAD + "P1,2026-03-01,R1,S1,3,100\n"

    def test_lines_that_went_to_and_fro(self, pos):
        assert counts(bring_in(pos, self.ONE, ORDERS)) == (2, 0)
        assert counts(bring_in(pos, self.ONE, ORDERS)) == (0, 2)
        assert counts(bring_in(pos, self.OTHER, ORDERS)) == (1, 0)
        assert Order.objects.get().total == 400
        assert counts(bring_in(pos, self.ONE, ORDERS)) == (1, 1)
        assert Order.objects.get().total == 200
        assert OrderLine.objects.count() == 2
        assert Touchpoint.objects.count() == 1

    def test_refunds_of_a_file_count_once(self, pos):
        refunds = definition(
            "orders", id="record_id", at="timestamp", order=("order", "id"), total=("order", "total"), what="event"
        )
        text = "id,at,order,total,what\nP1,2026-03-05,R1,60,Order Refunded\n"
        bring_in(pos, self.ONE, ORDERS)

        assert counts(bring_in(pos, text, refunds)) == (1, 0)
        assert counts(bring_in(pos, text, refunds)) == (0, 1)
        assert Refund.objects.count() == 1
        assert Order.objects.get().refunded == 60

    def test_two_files_of_one_step(self, pos):
        first, second = land(pos, self.ONE, ORDERS), land(pos, self.ONE, ORDERS)
        digest.drain()

        assert [counts(first), counts(second)] == [(2, 0), (0, 2)]
        assert equation.of_source(pos) == Equation(received=4, stored=2, duplicate=2)


def test_two_imports_of_different_people_do_not_meet(pos, web_shop):
    bring_in(pos, A)
    bring_in(web_shop, A)

    assert SourceRecord.objects.count() == 2
    assert Profile.objects.live().count() == 1  # by phone and e-mail
