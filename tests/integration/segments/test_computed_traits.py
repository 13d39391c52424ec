"""Computed traits on real customers: kept fresh by what happens and by time, through merges, and in segments."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from psycopg import sql

from cdp_site.core.access import EVERYTHING, scope_of
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, Department, User
from ingestion.models import Source
from profiles import catalogue as products
from profiles import merging
from profiles.models import Profile
from segments import audience, catalogue, freshness, keeper
from segments.models import ComputedValue, PendingValues, Segment, SegmentState
from segments.traits import authoring, keeping, reading
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.computed import (
    ORDERS,
    Make,
    asks,
    definition,
    everything_anew,
    fresh_samples,
    group,
    make_trait,
    pick,
    rolling,
    shopper,
    stored,
    value_of,
)

__all__ = ["fresh_samples", "group", "make_trait", "shopper"]

pytestmark = pytest.mark.django_db


class TestKeeping:
    def test_computes_everybody_when_it_is_new(self, shopper: Profile, make_trait: Make) -> None:
        assert value_of(make_trait("Views", definition("count")), shopper) == 4
        assert value_of(make_trait("Favourite", definition("most_frequent", "category")), shopper) == "bags"
        assert value_of(make_trait("Spent", definition("sum", "", ORDERS)), shopper) == 990

    def test_follows_what_happens_and_nobody_else(
        self, shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source
    ) -> None:
        views, spent = make_trait("Views", definition("count")), make_trait("Spent", definition("sum", "", ORDERS))

        tell(web_shop, track("s1", "Product Viewed", hours=1, category="bags"))
        assert PendingValues.objects.count() == 1  # nothing was sold
        assert value_of(views, shopper) == 4
        keeper.catch_up()

        assert value_of(views, shopper) == 5
        assert not PendingValues.objects.exists()
        tell(web_shop, track("s1", "Order Completed", order_id="O-2", total=10, currency="THB"))
        keeper.catch_up()
        assert value_of(spent, shopper) == 1000

    def test_nothing_is_noted_that_no_trait_rests_on(self, shopper: Profile, tell: Tell, web_shop: Source) -> None:
        tell(web_shop, track("s1", "Product Viewed", hours=1))

        assert not PendingValues.objects.exists()

    def test_a_killed_round_leaves_everything_to_the_next(
        self, shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        views = make_trait("Views", definition("count"))
        tell(web_shop, track("s1", "Product Viewed", hours=1))
        monkeypatch.setattr(keeping, "_compute", _killed)
        with pytest.raises(KeyboardInterrupt):
            keeping.follow()
        monkeypatch.undo()

        keeper.catch_up()

        assert value_of(views, shopper) == 5

    def test_everybody_is_computed_in_chunks_that_go_on_after_a_kill(
        self, shopper: Profile, viewers: None, make_trait: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        views = make_trait("Views", definition("count"))
        expected = stored()
        a_chunk = Profile.objects.latest("pk").pk // 3 + 1
        monkeypatch.setattr(keeping, "PEOPLE_AT_ONCE", a_chunk)
        ComputedValue.objects.all().delete()
        keeping.ask_everybody(views)

        assert keeping.refresh()
        views.refresh_from_db()
        assert views.computed_to == a_chunk
        while keeping.refresh():
            pass

        views.refresh_from_db()
        assert (stored(), views.computed_to) == (expected, 0)

    def test_one_that_fails_does_not_hold_up_the_others(
        self, shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken, views = make_trait("Broken", definition("sum", "price")), make_trait("Views", definition("count"))
        whole = keeping.difference

        def failing(trait_id: int, *args: Any) -> sql.Composed:
            return sql.SQL("SELECT {} / 0").format(1) if trait_id == broken.pk else whole(trait_id, *args)

        monkeypatch.setattr(keeping, "difference", failing)
        tell(web_shop, track("s1", "Product Viewed", hours=1, price=1))
        keeper.catch_up()
        monkeypatch.undo()

        broken.refresh_from_db()
        assert not broken.is_complete  # until it is tried again, what asks for it computes it for itself
        assert value_of(views, shopper) == 5

    def test_a_window_ends_at_its_minute_without_any_event(self, shopper: Profile, make_trait: Make) -> None:
        with time_machine.travel(LATELY + timedelta(hours=1), tick=False):
            lately = make_trait("Lately", definition("count", "", pick(window=rolling(24))))
            assert value_of(lately, shopper) == 3  # 20, 10 and 5 hours before LATELY
        with time_machine.travel(LATELY + timedelta(hours=3, minutes=59), tick=False):
            assert not keeping.turn()
        with time_machine.travel(LATELY + timedelta(hours=4), tick=False):
            assert keeping.turn()
            assert not keeping.turn()
            assert value_of(lately, shopper) == 2

    def test_what_is_dated_in_the_future_comes_at_its_minute(
        self, shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source
    ) -> None:
        with time_machine.travel(LATELY, tick=False):
            views = make_trait("Views", definition("count"))
            tell(web_shop, track("s1", "Product Viewed", hours=-2))
            keeper.catch_up()
            assert value_of(views, shopper) == 4
        with time_machine.travel(LATELY + timedelta(hours=2), tick=False):
            keeper.catch_up()
            assert value_of(views, shopper) == 5

    def test_what_compares_with_today_is_computed_anew_at_midnight(
        self, shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source
    ) -> None:
        tell(web_shop, track("s1", "Product Viewed", hours=40, seen_on=LATELY.date().isoformat()))
        recent = [{"property": "seen_on", "operator": "in_last_days", "value": 1}]
        with time_machine.travel(LATELY, tick=False):
            trait = make_trait("Recent", definition("count", "", pick(filters=recent)))
            assert value_of(trait, shopper) == 1
            assert trait.due_at == LATELY + timedelta(hours=12)  # LATELY is noon in Bangkok
        with time_machine.travel(LATELY + timedelta(hours=12), tick=False):
            keeper.catch_up()
            assert value_of(trait, shopper) is None

    def test_merges_and_unmerges_take_the_values_along(
        self, shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source, steward: User
    ) -> None:
        views = make_trait("Views", definition("count"))
        tell(web_shop, identify("s2", firstName="ปิติ", lastName="รักดี"), track("s2", "Product Viewed", hours=3))
        other = profile_of(web_shop, "s2")
        keeper.catch_up()
        assert (value_of(views, shopper), value_of(views, other)) == (4, 1)

        merged = merging.merge(profiles=[shopper, other], reason="same person", by=steward)
        keeper.catch_up()
        together = profile_of(web_shop, "s2")
        assert value_of(views, together) == 5
        assert ComputedValue.objects.filter(trait=views).count() == 1
        assert stored() == everything_anew()

        merging.revert(operation=merged.operation, reason="two people", by=steward)
        keeper.catch_up()
        assert value_of(views, profile_of(web_shop, "s1")) == 4
        assert value_of(views, profile_of(web_shop, "s2")) == 1
        assert stored() == everything_anew()

    def test_words_of_the_catalogue_are_followed(self, shopper: Profile, make_trait: Make, steward: User) -> None:
        shoes = [{"property": "category", "operator": "is", "value": "shoes"}]
        trait = make_trait("Shoes", definition("count", "", pick(filters=shoes)))
        assert value_of(trait, shopper) == 2

        products.save_term(
            term=None, attribute="category", label="Shoes", label_th="รองเท้า", spellings=["bags"], by=steward
        )
        keeper.catch_up()

        assert value_of(trait, shopper) == 4


class TestInSegments:
    def test_a_segment_asks_for_it_as_for_any_attribute(
        self, shopper: Profile, make_trait: Make, make_segment: Callable[..., Segment], marketer: User
    ) -> None:
        views = make_trait("Views", definition("count"))
        segment = make_segment(asks("computed.views", "at_least", 3))

        assert audience.member_ids(audience.Question.of_segment(segment, EVERYTHING)) == [shopper.pk]
        assert catalogue.fields(scope_of(marketer)).traits["computed.views"].label == "Views"
        assert [one.name for one in reading.seen(EVERYTHING).fields().values()] == ["computed.views"]
        assert views.slug == "views"

    def test_who_did_nothing_is_compared_by_nothing(
        self, shopper: Profile, viewers: None, make_trait: Make, make_segment: Callable[..., Segment]
    ) -> None:
        make_trait("Calls", definition("count", "", pick("Product Viewed", window=rolling(1))))
        few, many = make_segment(asks("computed.calls", "less_than", 1)), asks("computed.calls", "at_least", 1)

        assert audience.count(audience.Question.of_segment(few, EVERYTHING)) == 7
        assert audience.count(audience.Question.of_segment(make_segment(many, name="Many"), EVERYTHING)) == 0

    def test_a_department_has_the_value_of_what_it_sees(
        self,
        shopper: Profile,
        make_trait: Make,
        make_segment: Callable[..., Segment],
        make_user: Callable[..., User],
        care: Department,
    ) -> None:
        """Customer care does not see marketing's web shop."""
        make_trait("Views", definition("count"))
        segment = make_segment(asks("computed.views", "is", 1), department=None)
        carer = make_user("marketer", care, "carer")

        assert audience.member_ids(audience.Question.of_segment(segment, scope_of(carer))) == [shopper.pk]
        assert audience.member_ids(audience.Question.of_segment(segment, EVERYTHING)) == []

    def test_while_it_is_computed_anew_it_is_asked_live(
        self, shopper: Profile, make_trait: Make, make_segment: Callable[..., Segment], marketer: User
    ) -> None:
        trait = make_trait("Views", definition("count"))
        segment = make_segment(asks("computed.views", "is", 2))
        keeper.catch_up()
        bags = [{"property": "category", "operator": "is", "value": "bags"}]

        authoring.change(
            trait=trait,
            name="Views",
            name_th="",
            description="",
            group=trait.group,
            definition=definition("count", "", pick(filters=bags)),
            by=marketer,
        )

        assert audience.member_ids(audience.Question.of_segment(segment, EVERYTHING)) == [shopper.pk]
        keeper.catch_up()
        assert SegmentState.objects.filter(segment=segment, is_member=True).count() == 1

    def test_memberships_follow_the_trait(
        self,
        shopper: Profile,
        make_trait: Make,
        make_segment: Callable[..., Segment],
        tell: Tell,
        web_shop: Source,
    ) -> None:
        make_trait("Views", definition("count"))
        segment = make_segment(asks("computed.views", "at_least", 5))
        keeper.catch_up()
        assert not SegmentState.objects.filter(segment=segment, is_member=True).exists()

        tell(web_shop, track("s1", "Product Viewed", hours=1))
        keeper.catch_up()

        assert SegmentState.objects.filter(segment=segment, is_member=True).count() == 1

    def test_days_are_counted_until_today(
        self, shopper: Profile, make_trait: Make, make_segment: Callable[..., Segment]
    ) -> None:
        with time_machine.travel(LATELY, tick=False):
            make_trait("Last view", definition("days_since"))
            segment = make_segment(asks("computed.last_view.days", "at_least", 2))
            assert audience.count(audience.Question.of_segment(segment, EVERYTHING)) == 0
        with time_machine.travel(LATELY + timedelta(days=2), tick=False):
            assert audience.count(audience.Question.of_segment(segment, EVERYTHING)) == 1

    def test_a_channel_is_asked_for_by_its_name(
        self, shopper: Profile, make_trait: Make, make_segment: Callable[..., Segment]
    ) -> None:
        make_trait("Views", definition("count", per_channel=True))

        for name, n, people in (("web", 3, 1), ("store", 1, 1), ("app", 0, 1), ("web", 4, 0)):
            segment = make_segment(asks(f"computed.views.{name}", "is", n), name=f"{name} {n}")
            assert audience.count(audience.Question.of_segment(segment, EVERYTHING)) == people

    def test_common_values_are_suggested_to_who_sees_every_source(
        self, viewers: None, shopper: Profile, make_trait: Make, steward: User, marketer: User
    ) -> None:
        make_trait("Colour", definition("last", "color"))
        ComputedValue.objects.update(value="red")

        assert [one.value for one in catalogue.common_attributes("computed.colour", EVERYTHING)] == ["red"]
        assert catalogue.common_attributes("computed.nothing", EVERYTHING) == ()

    def test_a_segment_leans_on_the_sources_of_the_trait(
        self, shopper: Profile, make_trait: Make, make_segment: Callable[..., Segment], web_shop: Source
    ) -> None:
        make_trait("Carts", definition("sum", "", ORDERS))
        segment = make_segment(asks("computed.carts", "at_least", 1))
        written = audience.read(segment.definition)
        assert written is not None

        assert [one.source for one in freshness.leanings(written, EVERYTHING)] == [web_shop]

    def test_one_that_is_asked_for_is_not_archived(
        self, shopper: Profile, make_trait: Make, make_segment: Callable[..., Segment], marketer: User
    ) -> None:
        trait = make_trait("Views", definition("count"))
        segment = make_segment(asks("computed.views", "at_least", 3))
        with pytest.raises(ConflictProblem):
            authoring.archive(trait=trait, by=marketer)
        segment.delete()

        authoring.archive(trait=trait, by=marketer)
        assert not ComputedValue.objects.exists()
        authoring.restore(trait=trait, by=marketer)
        keeper.catch_up()

        assert value_of(trait, shopper) == 4
        actions = AuditEvent.objects.filter(target_type="segments.ComputedTrait").order_by("pk")
        assert [event.action.removeprefix("computed_trait.") for event in actions] == ["create", "archive", "restore"]


def _killed(*args: Any, **kwargs: Any) -> None:
    raise KeyboardInterrupt
