"""What a merge would change in what may be used."""

import pytest
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from cdp_site.core import impact
from consent.impact import preview
from consent.models import Channel
from profiles.models import SourceRecord
from tests.factories.consent import say
from tests.factories.people import hold, make_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def two() -> tuple[SourceRecord, SourceRecord]:
    records = make_record(), make_record()
    for number, record in enumerate(records):
        hold(record, "email", f"{number}@shop.test")
    return records


def lines(before: list[set[SourceRecord]], after: list[set[SourceRecord]]) -> list[tuple[str, str, bool]]:
    def groups(of: list[set[SourceRecord]]) -> list[frozenset[int]]:
        return [frozenset(record.pk for record in group) for group in of]

    with override("en"):
        return [(str(one.area), str(one.text), one.is_loss) for one in preview(groups(before), groups(after))]


def test_a_refusal_takes_the_other_records_address_along(two: tuple[SourceRecord, SourceRecord]) -> None:
    keen, wary = two
    say(keen, "granted", day=5)
    say(wary, "refused")
    assert lines([{keen}, {wary}], [{keen, wary}]) == [
        ("Consent: Marketing, e-mail", "1 address may no longer be used", True)
    ]
    assert lines([{keen, wary}], [{keen}, {wary}]) == [
        ("Consent: Marketing, e-mail", "1 more address may be used", False)
    ]


def test_who_was_never_asked_changes_nothing(two: tuple[SourceRecord, SourceRecord]) -> None:
    keen, silent = two
    say(keen, "granted")
    assert lines([{keen}, {silent}], [{keen, silent}]) == []


def test_without_an_address_the_answer_itself_is_told(two: tuple[SourceRecord, SourceRecord]) -> None:
    keen, wary = two
    say(keen, "granted", channel=Channel.LINE)
    say(wary, "withdrawn", channel=Channel.LINE)
    assert lines([{keen}, {wary}], [{keen, wary}]) == [("Consent: Marketing, LINE", "Granted becomes Withdrawn", True)]


def test_it_is_part_of_the_preview_and_costs_four_queries(
    two: tuple[SourceRecord, SourceRecord], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, second = two
    say(first, "granted")
    say(second, "refused")
    before, after = [frozenset({first.pk}), frozenset({second.pk})], [frozenset({first.pk, second.pk})]
    assert set(preview(before, after)) <= set(impact.effects(before, after))
    with django_assert_num_queries(4):
        preview(before, after)
