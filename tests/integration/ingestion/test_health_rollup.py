"""Roll-ups: rows of batches go, what they said stays, exactly and at every commit."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from ingestion import accounts, equation, landing
from ingestion.accounts import Period
from ingestion.equation import Equation
from ingestion.health import lag, rates, rollup
from ingestion.landing import Tally
from ingestion.models import AccountRow, FileImport, ImportRollUp, InboundBatch, ReceivedHour, Source
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)  # 12:00 in Bangkok


def digested(
    source: Source, tally: Tally, *, at: datetime, took: float = 1.0, door: str = "api", of: FileImport | None = None
) -> InboundBatch:
    batch = landing.land(
        source=source,
        messages_raw=[{"n": n} for n in range(tally.total)],
        door=door,
        received_at=at,
        file_import=of,
    )
    with transaction.atomic():
        landing.settle(batch.pk, tally)
    InboundBatch.objects.filter(pk=batch.pk).update(processed_at=at + timedelta(seconds=took))
    return batch


def make_import(source: Source) -> FileImport:
    return FileImport.objects.create(
        source=source, file_name="a.csv", size=1, sha256=b"x", format="csv", encoding="utf-8", status="landed"
    )


def test_the_account_says_the_same_before_and_after(web_shop: Source, pos: Source) -> None:
    for minutes in (0, 10, 59, 60, 61):
        digested(
            web_shop,
            Tally(stored=5, duplicate=2, quarantined=2, suppressed=1),
            at=NOON + timedelta(minutes=minutes),
        )
    digested(web_shop, Tally(stored=3), at=NOON, door="file")
    digested(pos, Tally(stored=7), at=NOON)
    landing.land(source=web_shop, messages_raw=[{}, {}], door="api", received_at=NOON)
    before = {source: accounts.of_source(source, period) for source in (web_shop, pos) for period in Period}
    assert rollup.roll_up(web_shop, before=NOON + timedelta(hours=2)) == 6
    assert {source: accounts.of_source(source, period) for source in (web_shop, pos) for period in Period} == before
    assert equation.of_source(web_shop) == Equation(
        received=55, stored=28, duplicate=10, quarantined=10, suppressed=5, waiting=2
    )
    assert equation.of_sources([web_shop, pos])[pos.pk] == Equation(received=7, stored=7)
    assert InboundBatch.objects.of_source(web_shop).get().status == "waiting"
    hours = ReceivedHour.objects.order_by("door", "hour").values_list("door", "hour", "n_batches", "n_items")
    assert list(hours) == [("api", NOON, 3, 30), ("api", NOON + timedelta(hours=1), 2, 20), ("file", NOON, 1, 3)]


def test_what_comes_to_an_hour_later_is_added_to_it(web_shop: Source) -> None:
    digested(web_shop, Tally(stored=1), at=NOON, took=0.04)
    rollup.roll_up(web_shop, before=timezone.now())
    digested(web_shop, Tally(stored=2, quarantined=1), at=NOON + timedelta(minutes=5), took=100_000)
    rollup.roll_up(web_shop, before=timezone.now())
    hour = ReceivedHour.objects.get()
    assert (hour.n_batches, hour.n_items, hour.n_stored, hour.n_quarantined) == (2, 4, 3, 1)
    assert hour.last_received_at == NOON + timedelta(minutes=5)
    assert (len(hour.lag), hour.lag[0], hour.lag[-1], sum(hour.lag)) == (lag.BUCKETS, 1, 3, 4)


def test_goes_by_portions_the_oldest_first(web_shop: Source) -> None:
    batches = [digested(web_shop, Tally(stored=1), at=NOON + timedelta(minutes=n)) for n in range(5)]
    assert rollup.pending(web_shop, before=NOON + timedelta(minutes=4)) == 4
    assert rollup.roll_up(web_shop, before=NOON + timedelta(minutes=4), at_most=3) == 3
    assert set(InboundBatch.objects.values_list("pk", flat=True)) == {batch.pk for batch in batches[3:]}
    assert rollup.roll_up(web_shop, before=NOON + timedelta(minutes=4), at_most=3) == 1
    assert rollup.roll_up(web_shop, before=NOON + timedelta(minutes=4)) == 0
    assert equation.of_source(web_shop) == Equation(received=5, stored=5)


def test_an_import_keeps_its_totals(pos: Source) -> None:
    one, other = make_import(pos), make_import(pos)
    digested(pos, Tally(stored=400, quarantined=100), at=NOON, door="file", of=one)
    digested(pos, Tally(stored=10), at=NOON, door="file", of=other)
    rollup.roll_up(pos, before=timezone.now())
    digested(pos, Tally(duplicate=300), at=NOON + timedelta(hours=1), door="file", of=one)
    rollup.roll_up(pos, before=timezone.now())
    landing.land(source=pos, messages_raw=[{}], door="file", file_import=one)
    assert equation.of_import(one) == Equation(received=801, stored=400, duplicate=300, quarantined=100, waiting=1)
    assert equation.of_import(other) == Equation(received=10, stored=10)
    assert ImportRollUp.objects.get(pk=one.pk).n_items == 800


def test_days_begin_at_the_companys_midnight_after_it_too(web_shop: Source, settings: Settings) -> None:
    """Also where zones are no whole hours apart: an hour belongs to one day of the company."""
    settings.COMPANY_TIME_ZONE = "Asia/Kolkata"
    midnight = datetime(2026, 11, 19, 18, 30, tzinfo=UTC)
    digested(web_shop, Tally(stored=1), at=midnight - timedelta(seconds=1))
    digested(web_shop, Tally(stored=2), at=midnight)
    rollup.roll_up(web_shop, before=timezone.now())
    assert AccountRow.objects.of_source(web_shop).received_since(midnight).equation()["received"] == 2


def test_lag_survives(web_shop: Source, pos: Source) -> None:
    for took in (1, 1, 1, 1, 60):
        digested(web_shop, Tally(stored=10), at=NOON, took=took)
    moments = [NOON, NOON + timedelta(hours=1)]
    before = lag.of_source(web_shop, since=moments)
    rollup.roll_up(web_shop, before=timezone.now())
    assert lag.of_source(web_shop, since=moments) == before
    after, nothing = before
    assert nothing is None
    assert after is not None
    assert after.messages == 50
    assert after.p50 == pytest.approx(1, rel=0.2)
    assert after.p95 == pytest.approx(60, rel=0.2)
    assert lag.of_source(pos, since=moments) == [None, None]


@pytest.mark.parametrize("seconds", [0.06, 0.4, 3.0, 75.0, 4_000.0])
def test_a_percentile_is_right_within_a_fifth(seconds: float) -> None:
    counts = [0] * lag.BUCKETS
    counts[sum(bound <= seconds for bound in lag.BOUNDS)] = 1_000
    assert lag.percentile(counts, 0.5) == pytest.approx(seconds, rel=0.21)


def test_charts_show_the_hours_that_are_rolled_up(web_shop: Source) -> None:
    now = timezone.now()
    digested(web_shop, Tally(stored=3, quarantined=1), at=now - timedelta(hours=5))
    landing.land(source=web_shop, messages_raw=[{}], door="api", received_at=now)
    before = rates.chart(web_shop, rates.Span.DAY)
    rollup.roll_up(web_shop, before=now)
    after = rates.chart(web_shop, rates.Span.DAY)
    assert after == before
    assert (after.received, after.quarantined, after.highest, len(after.bars)) == (5, 1, 4, 24)
    assert [bar.received for bar in after.bars if bar.received] == [4, 1]
    assert rates.chart(web_shop, rates.Span.WEEK).received == 5
    hour = rates.chart(web_shop, rates.Span.HOUR)
    assert (len(hour.bars), hour.bars[-1].received, hour.received) == (60, 1, 1)
    assert rates.sparklines(AccountRow.objects.all())(web_shop.pk).received == 5


@pytest.fixture
def roller(web_shop: Source) -> Iterator[threading.Thread]:
    """Rolls up, five batches at a time, until there is nothing left."""

    def work() -> None:
        while rollup.roll_up(web_shop, before=timezone.now(), at_most=5):
            pass
        connection.close()

    thread = threading.Thread(target=work)
    yield thread
    if thread.ident is not None:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_whoever_looks_meanwhile_sees_each_message_once(web_shop: Source, roller: threading.Thread) -> None:
    for n in range(200):
        digested(web_shop, Tally(stored=2, duplicate=1), at=NOON + timedelta(minutes=n))
    wanted = Equation(received=600, stored=400, duplicate=200)
    seen = {equation.of_source(web_shop)}
    roller.start()
    wait_for(lambda: seen.add(equation.of_source(web_shop)) or not roller.is_alive())
    assert seen == {wanted}
    assert not InboundBatch.objects.exists()
    assert equation.of_source(web_shop) == wanted


def test_the_database_refuses_a_sum_that_does_not_add_up(web_shop: Source) -> None:
    digested(web_shop, Tally(stored=1), at=NOON)
    rollup.roll_up(web_shop, before=timezone.now())
    with pytest.raises(IntegrityError, match="received_hour_equation"):
        ReceivedHour.objects.update(n_items=2)
