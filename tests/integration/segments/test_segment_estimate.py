"""Numbers from a sample of people: right on average, honest about their width, the same people each time."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.access import EVERYTHING, scope_of
from cdp_site.core.models import User
from consent.models import Channel, Purpose
from consent.reasons import Reason
from ingestion.models import Alert, AlertKind, Source
from segments import audience, estimate, freshness, reaching
from segments.audience import Question
from segments.definition.parse import parse
from segments.definition.people import answers
from segments.estimate import Sample
from segments.intervals import Range
from tests.customers import Tell, identify, profile_of, track
from tests.integration.segments.conftest import viewed_red, whole

pytestmark = pytest.mark.django_db
MARKETING_BY_MAIL = {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"}
IN_TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}


@pytest.fixture(autouse=True)
def fresh_samples(db: None) -> None:
    cache.clear()


def question(*conditions: dict[str, Any], scope: Any = EVERYTHING) -> Question:
    return Question.of(parse(whole(*conditions)), scope)


def smaller_than_first_wanted(monkeypatch: pytest.MonkeyPatch, stride: int, below: int) -> None:
    """Samples of this stride, and of another one below what is wanted first."""
    small_samples(monkeypatch, stride)
    first = estimate.sample_of

    def sample_of(wanted: int) -> Sample:
        found = first(wanted)
        return found if wanted >= estimate.FIRST_SAMPLE else Sample(below, found.last)

    monkeypatch.setattr(estimate, "sample_of", sample_of)


def small_samples(monkeypatch: pytest.MonkeyPatch, stride: int) -> None:
    """As if there were too many people to ask each."""

    def sample_of(wanted: int) -> Sample:
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM profiles_profile")
            return Sample(stride, cursor.fetchone()[0])

    monkeypatch.setattr(estimate, "sample_of", sample_of)


class TestOfEverybody:
    def test_is_exact_and_says_what_each_row_keeps_out(self, viewers: None) -> None:
        found = estimate.estimate(question(viewed_red(), MARKETING_BY_MAIL, IN_TRANG))

        assert (found.members, found.everybody, found.is_exact) == (Range.exact(1), 6, True)
        assert {place: (part.alone.value, part.without.value, part.cut) for place, part in found.parts.items()} == {
            "/where/of/0": (3, 1, 0),
            "/where/of/1": (1, 3, 2),
            "/where/of/2": (6, 1, 0),
        }
        assert found.cuts_most == "/where/of/1"

    def test_agrees_with_the_count(self, viewers: None) -> None:
        refused = {**MARKETING_BY_MAIL, "state": "refused"}
        never = {**MARKETING_BY_MAIL, "state": "never"}
        reached = {"kind": "reachable", "purpose": "marketing", "channel": "email"}
        for conditions in (
            [viewed_red()],
            [viewed_red(2)],
            [{"kind": "not", "of": [viewed_red()]}],
            [{"kind": "any", "of": [refused, MARKETING_BY_MAIL]}],
            [never, IN_TRANG],
            [reached],
            [{"kind": "not", "of": [reached, viewed_red()]}],
        ):
            asked = question(*conditions)
            assert estimate.estimate(asked).members == Range.exact(audience.count(asked))

    def test_visitors_are_counted_apart(self, viewers: None, tell: Tell, web_shop: Source) -> None:
        for number in range(3):
            seen = track("", "Product Viewed", color="red" if number else "blue")
            seen |= {"messageId": f"seen-{number}", "anonymousId": f"device-{number}"}
            del seen["userId"]
            tell(web_shop, seen)

        found = estimate.estimate(question(viewed_red()))

        assert (found.members, found.visitors) == (Range.exact(3), Range.exact(2))

    def test_one_rule_has_nothing_to_be_compared_with(self, viewers: None) -> None:
        assert estimate.estimate(question(viewed_red())).cuts_most == ""

    def test_a_department_estimates_what_it_sees(
        self, viewers: None, tell: Tell, call_centre: Source, make_user: Callable[..., User], care: Any
    ) -> None:
        tell(call_centre, identify("c1", firstName="มานี", province="ตรัง"))
        seen = scope_of(make_user("marketer", care, "carer"))
        asked = question(IN_TRANG, scope=seen)

        found = estimate.estimate(asked)

        assert found.members == Range.exact(audience.count(asked))
        assert found.everybody == audience.count_everybody(seen)

    def test_takes_few_statements(self, viewers: None, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        asked = question(viewed_red(), MARKETING_BY_MAIL)
        with django_assert_max_num_queries(20):
            estimate.estimate(asked)


class TestOfASample:
    @pytest.fixture
    def many(self, tell: Tell, web_shop: Source) -> None:
        """Three hundred customers, of whom every third is of Trang; with the same ids in each run, since one interval
        in twenty leaves the true number out."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER SEQUENCE profiles_profile_id_seq RESTART WITH 1")
        people = [identify(f"m{n}", firstName="มานี", province="ตรัง" if n % 3 == 0 else "น่าน") for n in range(300)]
        tell(web_shop, *people)

    def test_holds_everybody_with_the_same_chance(self, many: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM profiles_profile")
            newest = cursor.fetchone()[0]
            held = []
            for stride in (1, 4, 16):
                query = "SELECT p.id FROM profiles_profile p WHERE "
                cursor.execute(query + Sample(stride, newest).holds().as_string(connection.connection))
                held.append({row[0] for row in cursor.fetchall()})

        assert len(held[0]) >= 300
        for ids, stride in zip(held[1:], (4, 16), strict=True):
            blocks = {(one - 1) // stride for one in ids}
            assert len(blocks) == len(ids)  # one of each block
            assert len(ids) == pytest.approx(len(held[0]) / stride, abs=3)

    def test_says_about_how_many_and_between_what(self, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
        small_samples(monkeypatch, 4)

        found = estimate.estimate(question(IN_TRANG))

        assert not found.is_exact
        assert found.members.low <= 100 <= found.members.high
        assert found.members.low < found.members.value < found.members.high
        assert found.everybody == 300
        assert found.sampled == pytest.approx(75, abs=3)

    def test_is_of_the_same_people_each_time(self, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
        small_samples(monkeypatch, 4)

        first, second = (estimate.estimate(question(IN_TRANG)) for _time in range(2))

        assert first == second

    def test_who_is_shown_is_chosen_by_chance_and_is_a_member(
        self, many: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        members = set(audience.member_ids(question(IN_TRANG)))
        small_samples(monkeypatch, 4)

        shown = estimate.some_members(question(IN_TRANG), 10)
        more = estimate.some_members(question(IN_TRANG), 90)  # the sample has too few: everybody is asked

        assert len(shown) == 10
        assert set(shown) <= members
        assert shown != sorted(shown)
        assert len(more) == 90
        assert set(more) <= members

    def test_what_is_too_slow_says_so(self, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(estimate, "answers", lambda *_parts, **_named: "SELECT pg_sleep(9)")
        monkeypatch.setattr(estimate, "LIMIT_SECONDS", 1)

        with pytest.raises(audience.TooSlowProblem):
            estimate.estimate(question(IN_TRANG))

    def test_what_cannot_be_read_in_time_is_asked_of_fewer(self, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
        """As with pages that nobody has read for long: the number is vaguer, and says so."""
        smaller_than_first_wanted(monkeypatch, 1, 4)
        asked: list[Any] = []
        exact = estimate.estimate(question(IN_TRANG))

        def slow_at_first(*parts: Any, **named: Any) -> Any:
            asked.append(named["crowd"])
            return answers(*parts, **named) if len(asked) > 1 else "SELECT pg_sleep(9)"

        monkeypatch.setattr(estimate, "answers", slow_at_first)

        found = estimate.estimate(question(IN_TRANG))

        assert (exact.is_exact, len(asked)) == (True, 2)
        assert not found.is_exact
        assert found.sampled == pytest.approx(75, abs=3)
        assert found.members.low <= 100 <= found.members.high

    def test_a_larger_sample_that_is_too_slow_leaves_the_smaller_ones_number(
        self, many: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small_samples(monkeypatch, 4)
        monkeypatch.setattr(estimate, "SECONDS", 60)
        asked: list[Any] = []

        def slow_in_the_end(*parts: Any, **named: Any) -> Any:
            asked.append(named["crowd"])
            return answers(*parts, **named) if len(asked) == 1 else "SELECT pg_sleep(9)"

        monkeypatch.setattr(estimate, "answers", slow_in_the_end)

        assert estimate.estimate(question(IN_TRANG)).sampled == pytest.approx(75, abs=3)
        assert len(asked) == 2


class TestReach:
    def test_counts_by_channel_with_the_reasons_of_the_others(self, viewers: None) -> None:
        found = reaching.reach(question(viewed_red()), Purpose.objects.get(slug="marketing"))

        by_channel = {one.channel: one for one in found.channels}
        mail = by_channel[Channel.EMAIL]
        assert found.members == Range.exact(3)
        assert (mail.people, round(mail.percent)) == (Range.exact(1), 33)
        assert {one.reason: one.people for one in mail.left_out} == {
            Reason.REFUSED: Range.exact(1),
            Reason.NEVER_ASKED: Range.exact(1),
        }
        assert by_channel[Channel.SMS].people == Range.exact(0)
        assert [one.reason for one in by_channel[Channel.SMS].left_out] == [Reason.NO_ADDRESS]

    def test_is_carried_over_to_all_when_the_gate_is_asked_about_some(
        self, viewers: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reaching, "ASKED", 2)

        found = reaching.reach(question(viewed_red()), Purpose.objects.get(slug="marketing"))

        assert found.members == Range.exact(3)
        for one in found.channels:
            assert not one.people.is_exact
            assert 0 <= one.people.low <= one.people.value <= one.people.high <= 3

    def test_nobody_is_reached_in_an_empty_segment(self, viewers: None) -> None:
        found = reaching.reach(question(viewed_red(9)), Purpose.objects.get(slug="marketing"))

        assert found.members == Range.exact(0)
        assert {one.people for one in found.channels} == {Range.exact(0)}

    def test_the_purpose_is_the_first_that_people_are_asked_for(self, db: None) -> None:
        offered = reaching.purposes()

        assert (chosen := reaching.chosen(offered, "")) is not None
        assert chosen.basis == Purpose.Basis.CONSENT
        assert reaching.chosen(offered, offered[-1].slug) == offered[-1]
        assert reaching.chosen([], "marketing") is None


class TestFreshness:
    def test_names_the_sources_that_a_definition_leans_on_the_stalest_first(
        self, viewers: None, tell: Tell, pos: Source, web_shop: Source
    ) -> None:
        tell(pos, identify("p1", firstName="มานะ", province="ตรัง"))

        of_events = freshness.leanings(parse(whole(viewed_red())), EVERYTHING)
        of_traits = freshness.leanings(parse(whole(IN_TRANG)), EVERYTHING)

        assert [one.source for one in of_events] == [web_shop]
        assert [one.source for one in of_traits] == [web_shop, pos]  # the till was heard of last
        assert not any(one.is_stale for one in of_traits)
        assert freshness.leanings(parse(whole(MARKETING_BY_MAIL)), EVERYTHING) == []

    def test_a_silent_source_stands_before_all_others(
        self, viewers: None, tell: Tell, pos: Source, web_shop: Source
    ) -> None:
        tell(pos, identify("p1", firstName="มานะ", province="ตรัง"))
        heard = freshness.leanings(parse(whole(IN_TRANG)), EVERYTHING)[-1].last_heard_at
        assert heard is not None
        Alert.objects.create(source=pos, kind=AlertKind.SILENT, opened_at=heard, value=40.0, threshold=10.0)

        first = freshness.leanings(parse(whole(IN_TRANG)), EVERYTHING)[0]

        assert (first.source, first.is_stale) == (pos, True)

    def test_only_the_sources_that_are_asked_count(self, viewers: None, tell: Tell, pos: Source) -> None:
        tell(pos, identify("p1", firstName="มานะ"), track("p1", "Product Viewed", color="red"))
        asked = {**viewed_red(), "sources": [pos.slug]}

        assert [one.source for one in freshness.leanings(parse(whole(asked)), EVERYTHING)] == [pos]

    def test_a_department_is_told_of_its_own_sources(
        self, viewers: None, tell: Tell, call_centre: Source, make_user: Callable[..., User], care: Any
    ) -> None:
        tell(call_centre, identify("c1", firstName="มานี", province="ตรัง"))
        seen = scope_of(make_user("marketer", care, "carer"))

        told = [one.source for one in freshness.leanings(parse(whole(IN_TRANG)), seen)]

        assert call_centre in told
        assert all(seen.sees_source(one.pk) for one in told)


def test_the_profile_of_a_customer_is_never_needed(viewers: None, web_shop: Source) -> None:
    """Estimates count: what they read of anybody is yes or no."""
    asked = estimate._asked(Sample(1, profile_of(web_shop, "v6").pk + 10), question(viewed_red()))

    assert [one.holds[0].bit_count() for one in asked] == [3, 0]
