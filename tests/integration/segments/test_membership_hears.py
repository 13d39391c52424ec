"""What memberships hear of beside people who do something: addresses, the catalogue, and a rebuilding of everybody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import catalogue, rebuild
from profiles.catalogue import StatedProduct
from profiles.editing import changing, fields, undoing
from profiles.editing.changing import Changed
from profiles.models import Identifier, Profile
from profiles.signals import Aspect
from segments import keeper
from segments.lists import keeping
from segments.lists.finding import Found, find
from segments.lists.reading import pasted
from segments.membership import reading, refreshing
from segments.models import PendingMembership, SegmentFreshness
from segments.traits import keeping as values
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.computed import Make as MakeTrait
from tests.integration.segments.computed import asks, definition, fresh_samples, group, make_trait, pick, value_of
from tests.integration.segments.membership import VIEWED, Make, did, names

__all__ = ["fresh_samples", "group", "make_trait"]

pytestmark = pytest.mark.django_db

EVER = {"kind": "ever"}
BRASS = {
    "kind": "order_line",
    "measure": "lines",
    "filters": [{"property": "material", "operator": "is", "value": "brass"}],
    "operator": "at_least",
    "value": 1,
    "window": EVER,
}


def stated(sku: str = "LAMP", **said: Any) -> StatedProduct:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return catalogue.read({"sku": sku, "name": f"Lamp {sku}", **said}, namespace="web-shop", at=said.pop("at", at))


def feed(source: Source, **materials: str) -> None:
    """What a source's feed says of its products."""
    catalogue.upsert(
        catalogue.read({"sku": sku, "attributes": {"material": material}}, namespace=source.slug, at=LATELY)
        for sku, material in materials.items()
    )


def test_who_takes_the_address_away_is_no_longer_reached(
    viewers: None, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    reached = make_segment({"kind": "reachable", "purpose": "marketing", "channel": "email"}, name="Reached")
    keeper.catch_up()
    assert reading.size(reached) == 1
    later = (LATELY + timedelta(hours=1)).isoformat()
    tell(web_shop, identify("v1", email=None) | {"messageId": "none any more", "timestamp": later})
    keeper.catch_up()
    assert reading.size(reached) == 0


def test_addresses_that_an_agent_empties_or_takes_back_are_heard_of(somchai: Profile, steward: User) -> None:
    def say(email: str) -> Changed:
        editable = fields.load(somchai, "email", by=steward)
        assert editable is not None
        return changing.change(
            profile=somchai, trait="email", said={"email": email}, version=editable.version, by=steward
        )

    def heard_of() -> bool:
        waiting = PendingMembership.objects.filter(aspect=Aspect.ADDRESSES, profile_ids__contains=[somchai.pk])
        return waiting.delete()[0] > 0

    stated = say("new@baansabai.co.th").edit
    assert stated is not None
    assert heard_of()
    undoing.undo(profile=somchai, edit_id=stated.pk, by=steward)
    assert heard_of()
    say("new@baansabai.co.th")
    assert heard_of()
    say("")
    assert heard_of()
    assert not Identifier.objects.get(value="new@baansabai.co.th").is_current


def test_what_a_feed_says_of_products_is_followed_within_minutes(
    clock: Any, viewers: None, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    lines = [{"sku": "LAMP", "name": "Lamp", "price": 10, "quantity": 1}]
    tell(web_shop, track("v1", "Order Completed", order_id="o1", total=10, currency="THB", products=lines))

    feed(web_shop, LAMP="steel")
    segment, other = make_segment(BRASS, name="Brass"), make_segment(VIEWED, name="Viewed")
    keeper.catch_up()
    assert reading.size(segment) == 0
    due_at = SegmentFreshness.objects.get(segment=other).due_at

    feed(web_shop, LAMP="brass")
    keeper.catch_up()
    assert SegmentFreshness.objects.get(segment=segment).due_at == LATELY + keeper.SOON
    assert SegmentFreshness.objects.get(segment=other).due_at == due_at
    clock.shift(keeper.SOON)
    keeper.catch_up()
    assert reading.size(segment) == 1
    due_at = SegmentFreshness.objects.get(segment=segment).due_at
    feed(web_shop, LAMP="brass")  # says the same again
    keeper.catch_up()
    assert SegmentFreshness.objects.get(segment=segment).due_at == due_at


def test_what_a_feed_says_of_products_that_were_viewed_is_followed_within_minutes(
    clock: Any, tell: Tell, web_shop: Source, make_segment: Make, make_trait: MakeTrait
) -> None:
    tell(web_shop, identify("v1", email="v1@example.com"), track("v1", "Product Viewed", sku="LAMP"))
    person = profile_of(web_shop, "v1")
    feed(web_shop, CHAIR="steel")
    brass = make_segment(did("Product Viewed", "at_least", 1, EVER, material="brass"), name="Brass")
    trait = make_trait("Material", definition("last", "material"))
    worn = make_segment(asks("computed.material", "is", "brass"), name="Brass at last")
    keeper.catch_up()
    assert (reading.size(brass), reading.size(worn), value_of(trait, person)) == (0, 0, None)

    feed(web_shop, LAMP="Brass")
    keeper.catch_up()
    assert (reading.size(brass), value_of(trait, person)) == (0, None)
    clock.shift(keeper.SOON)
    keeper.catch_up()
    assert (reading.size(brass), reading.size(worn), value_of(trait, person)) == (1, 1, "Brass")


def test_what_a_feed_says_anew_meanwhile_is_computed_for_those_as_well_who_were_before(
    clock: Any, tell: Tell, web_shop: Source, make_trait: MakeTrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in ("v1", "v2"):
        tell(web_shop, identify(one, email=f"{one}@example.com"), track(one, "Product Viewed", sku="LAMP"))
    first, second = profile_of(web_shop, "v1"), profile_of(web_shop, "v2")
    feed(web_shop, LAMP="steel")
    trait = make_trait("Material", definition("last", "material"))
    monkeypatch.setattr(values, "PEOPLE_AT_ONCE", second.pk - 1)  # two chunks
    feed(web_shop, LAMP="brass")
    keeper.catch_up()
    clock.shift(keeper.SOON)
    assert values.refresh()
    assert (value_of(trait, first), value_of(trait, second)) == ("brass", "steel")

    feed(web_shop, LAMP="oak")
    keeper.catch_up()
    assert (value_of(trait, first), value_of(trait, second)) == ("brass", "oak")  # it comes to its end, and then again
    clock.shift(keeper.SOON)
    keeper.catch_up()
    assert (value_of(trait, first), value_of(trait, second)) == ("oak", "oak")


def test_words_of_a_feed_are_followed(
    clock: Any, viewers: None, make_segment: Make, make_trait: MakeTrait, web_shop: Source
) -> None:
    german = make_segment(did("Product Viewed", "at_least", 1, EVER, color="rot"), name="Rot")
    rot = [{"property": "color", "operator": "is", "value": "rot"}]
    trait = make_trait("Views of red", definition("count", "", pick(filters=rot)))
    keeper.catch_up()
    person = profile_of(web_shop, "v1")
    assert (reading.size(german), value_of(trait, person)) == (0, None)
    catalogue.upsert([stated(attributes={"color": "red"}, synonyms={"color": ["rot"]})])
    keeper.catch_up()
    assert value_of(trait, person) == 1
    clock.shift(keeper.SOON)
    keeper.catch_up()
    assert reading.size(german) == 3


def test_words_of_a_feed_are_followed_where_a_computed_trait_has_them(
    clock: Any, viewers: None, make_segment: Make, make_trait: MakeTrait
) -> None:
    make_trait("Colour", definition("last", "color"))
    german = make_segment(asks("computed.colour", "is", "rot"), name="Rot")
    keeper.catch_up()
    assert reading.size(german) == 0
    catalogue.upsert([stated(attributes={"color": "red"}, synonyms={"color": ["rot"]})])
    keeper.catch_up()
    clock.shift(keeper.SOON)
    keeper.catch_up()
    assert reading.size(german) == 3


def test_a_word_that_is_explained_is_known_to_computed_traits_at_once(
    viewers: None, make_segment: Make, make_trait: MakeTrait, steward: User
) -> None:
    make_trait("Colour", definition("last", "color"))
    crimson = make_segment(asks("computed.colour", "is", "crimson"), name="Crimson")
    keeper.catch_up()
    assert reading.size(crimson) == 0
    red = catalogue.Term.objects.get(attribute="color", label="Red")
    spelt = [*catalogue.spellings("color", "red"), "crimson"]
    catalogue.save_term(term=red, attribute="color", label="Red", label_th="แดง", spellings=spelt, by=steward)
    keeper.catch_up()
    assert reading.size(crimson) == 3


def test_a_feed_asks_nothing_of_segments_however_many_products_it_tells_of(viewers: None, make_segment: Make) -> None:
    make_segment(did("Product Viewed", "at_least", 1, EVER, color="red"))

    def statements(n: int, prefix: str) -> list[str]:
        words = [f"{prefix} {number}" for number in range(n)]
        products = [stated(word, attributes={"color": word}, synonyms={"color": [f"very {word}"]}) for word in words]
        with CaptureQueriesContext(connection) as captured:
            catalogue.upsert(products)
        return [query["sql"] for query in captured if "segments_" in query["sql"]]

    assert len(statements(1, "one")) == len(statements(5, "many"))


def test_who_is_put_on_a_list_or_taken_off_is_followed(
    clock: Any, viewers: None, make_segment: Make, marketer: User, web_shop: Source
) -> None:
    def guests(*users: str) -> Found:
        ids = "\n".join(f"{user}@baansabai.co.th" for user in users)
        return find(pasted(ids).ids, kind="email", by=marketer)

    wanted = keeping.create(name="Guests", department=marketer.department, found=guests("v1"), by=marketer)
    of_list = make_segment({"kind": "list", "list": str(wanted.pk), "is_in": True}, name="Guests")
    through = make_segment({"kind": "segment", "segment": str(of_list.pk), "is_in": False}, name="Others")
    other = make_segment(name="Red")
    keeper.catch_up()
    first, second = profile_of(web_shop, "v1"), profile_of(web_shop, "v2")
    assert [reading.size(one) for one in (of_list, through)] == [1, 5]
    due_at = SegmentFreshness.objects.get(segment=other).due_at

    keeping.change(static_list=wanted, found=guests("v2", "v3"), replaces=False, by=marketer)
    keeper.catch_up()
    assert [reading.size(one) for one in (of_list, through)] == [3, 3]
    keeping.change(static_list=wanted, found=guests("v2"), replaces=True, by=marketer)
    keeper.catch_up()

    assert reading.member_ids(of_list) == [second.pk]
    assert names(first) == ["Others", "Red"]
    assert SegmentFreshness.objects.get(segment=other).due_at == due_at


def test_whom_a_rebuilding_mends_is_followed(
    viewers: None, web_shop: Source, make_segment: Make, make_trait: MakeTrait
) -> None:
    segment = make_segment()
    views = make_trait("Views", definition("count"))
    red, blue = profile_of(web_shop, "v1"), profile_of(web_shop, "v4")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE profiles_touchpoint SET profile_id = %s WHERE profile_id = %s", [blue.pk, red.pk])
    refreshing.ask([segment.pk])
    keeper.catch_up()
    assert (names(red), names(blue)) == ([], ["Red"])

    rebuild.rebuild(by="system:test")
    keeper.catch_up()

    assert (names(red), names(blue)) == (["Red"], [])
    assert [value_of(views, Profile.objects.get(pk=one.pk)) for one in (red, blue)] == [1, 1]
