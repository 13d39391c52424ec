from datetime import UTC, datetime, timedelta

import pytest

from ingestion import clocks

RECEIVED = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def test_the_distance_of_the_clients_clocks_corrects_a_wrong_one():
    """A phone two hours ahead buffered an event for 30 seconds."""
    read = clocks.read(
        received_at=RECEIVED,
        timestamp="2026-11-22T14:00:00Z",
        sent_at=datetime(2026, 11, 22, 14, 0, 30, tzinfo=UTC),
    )

    assert read.occurred_at == RECEIVED - timedelta(seconds=30)
    assert read.original_at == datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
    assert not read.is_future


def test_without_sent_at_the_clients_time_stands():
    read = clocks.read(received_at=RECEIVED, timestamp="2026-11-20T08:00:00+07:00")

    assert read.occurred_at == datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def test_without_any_time_it_happened_when_we_received_it():
    read = clocks.read(received_at=RECEIVED, timestamp=None, sent_at=RECEIVED)

    assert (read.occurred_at, read.original_at) == (RECEIVED, None)


def test_original_timestamp_wins_over_timestamp():
    read = clocks.read(
        received_at=RECEIVED, timestamp="2026-11-22T12:00:00Z", original_timestamp="2026-11-22T11:00:00Z"
    )

    assert read.occurred_at == RECEIVED - timedelta(hours=1)


@pytest.mark.parametrize(("hours", "flagged"), [(22, False), (24, True)])
def test_more_than_23_hours_in_the_future_is_flagged(hours, flagged):
    stamp = (RECEIVED + timedelta(hours=hours)).isoformat()

    assert clocks.read(received_at=RECEIVED, timestamp=stamp).is_future is flagged


@pytest.mark.parametrize(
    "stamp", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T00:00:00Z", "99999"]
)
def test_what_is_no_time_is_named(stamp):
    with pytest.raises(clocks.UnreadableTime) as caught:
        clocks.read(received_at=RECEIVED, timestamp=stamp, sent_at=RECEIVED)

    assert caught.value.field == "timestamp"


def test_an_impossible_distance_is_no_time():
    sent = datetime(9999, 12, 31, tzinfo=UTC)

    with pytest.raises(clocks.UnreadableTime):
        clocks.read(received_at=RECEIVED, timestamp="1970-01-01T00:00:00Z", sent_at=sent)
