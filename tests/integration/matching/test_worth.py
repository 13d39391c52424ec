"""What a verdict is worth: orders, then reach."""

from collections.abc import Callable
from typing import Any

import pytest

from ingestion.models import Source
from profiles.matching import worth
from profiles.models import SourceRecord
from tests.customers import Tell, identify, track
from tests.factories.people import hold, make_record

pytestmark = pytest.mark.django_db


def record(source: Source, external_id: str) -> int:
    return SourceRecord.objects.get(source=source, external_id=external_id).pk


def test_orders_count_for_more_than_clicks(tell: Tell, pos: Source) -> None:
    tell(pos, *(identify(f"p{n}", firstName=f"Ann{n}") for n in range(6)))
    tell(pos, track("p0", "Order Completed", order_id="1", total=10, currency="THB"))
    tell(pos, *(track("p2", "Product Viewed", hours=n, name="chair") for n in range(3)))
    buyer, viewer, nobody = ((record(pos, f"p{n}"), record(pos, f"p{n + 1}")) for n in (0, 2, 4))
    found = worth.of([nobody, viewer, buyer])
    assert sorted(found, key=found.__getitem__, reverse=True) == [buyer, viewer, nobody]
    assert found[nobody] >= 0


def test_who_can_be_reached_is_worth_more() -> None:
    reached, masked, unknown, other = (make_record() for _ in range(4))
    hold(reached, "email", "ann@example.com")
    hold(masked, "email", "a***@example.com", problem="masked")
    found = worth.of([(reached.pk, other.pk), (masked.pk, other.pk), (unknown.pk, other.pk)])
    assert found[reached.pk, other.pk] > found[masked.pk, other.pk] == found[unknown.pk, other.pk]


def test_many_pairs_take_one_query(django_assert_num_queries: Callable[..., Any]) -> None:
    records = [make_record().pk for _ in range(6)]
    with django_assert_num_queries(1):
        found = worth.of([(a, b) for a in records for b in records if a < b])
    assert len(found) == 15


def test_no_pairs_are_worth_nothing() -> None:
    assert worth.of([]) == {}
