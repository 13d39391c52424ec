"""Red is แดง: a condition on a product's property asks for every spelling of its word."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import catalogue
from profiles.models import Profile
from segments import audience, spellings
from segments.definition.nodes import VERSION
from segments.definition.parse import parse
from segments.definition.serialise import serialise
from segments.models import Segment
from tests.customers import Tell, identify, profile_of, track
from tests.integration.segments.computed import Make as MakeTrait
from tests.integration.segments.computed import asks, definition, fresh_samples, group, make_trait
from tests.integration.segments.conftest import viewed_red, whole

__all__ = ["fresh_samples", "group", "make_trait"]

pytestmark = pytest.mark.django_db
COLOURS = {"a": "red", "b": "แดง", "c": "สีแดง", "d": "Blue", "e": None}


@pytest.fixture
def people(tell: Tell, web_shop: Source) -> dict[int, str]:
    """Profile id → the user of the web shop, one for each colour."""
    for user, colour in COLOURS.items():
        tell(web_shop, identify(user, firstName=user))
        tell(web_shop, track(user, "Product Viewed", **({"color": colour} if colour else {})))
    return {profile_of(web_shop, user).pk: user for user in COLOURS}


def viewed(operator: str, value: object) -> dict:
    return whole({**viewed_red(), "filters": [{"property": "color", "operator": operator, "value": value}]})


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [
        ("is", "RED", "abc"),
        ("is", "แดง", "abc"),
        ("in", ["red", "mauve"], "abc"),
        ("is_not", "red", "d"),
        ("not_in", ["สีแดง"], "d"),
        ("is", "น้ำเงิน", "d"),
        ("is", "mauve", ""),
        ("contains", "red", "a"),
    ],
)
def test_a_word_finds_its_spellings(people: dict[int, str], operator: str, value: object, found: str) -> None:
    question = audience.Question.of(parse(viewed(operator, value)), EVERYTHING)
    assert "".join(sorted(people[number] for number in audience.member_ids(question))) == found


RED = {"property": "color", "operator": "is", "value": "red"}
EVER = {"kind": "ever"}


@pytest.mark.parametrize(
    "condition",
    [
        {
            "kind": "measure",
            "event": "Product Viewed",
            "measure": "most_frequent",
            **RED,
            "window": EVER,
        },
        {
            "kind": "measure",
            "event": "Product Viewed",
            "measure": "distinct",
            "property": "color",
            "operator": "is",
            "value": 1,
            "window": EVER,
            "filters": [RED],
        },
        {
            "kind": "sequence",
            "first": {"event": "Product Viewed", "filters": [RED]},
            "then": {"event": "Order Completed"},
            "within": {"n": 7, "unit": "days"},
            "window": EVER,
        },
        {
            "kind": "order_line",
            "measure": "lines",
            "operator": "at_least",
            "value": 1,
            "window": EVER,
            "filters": [RED],
        },
    ],
)
def test_every_kind_of_condition_knows_the_word(
    tell: Tell, web_shop: Source, people: dict[int, str], condition: dict[str, Any]
) -> None:
    """The customer who bought what the shop calls แดง is found by "red"; nobody by a word that means nothing here."""
    for user, colour in COLOURS.items():
        products = [{"sku": user, **({"color": colour} if colour else {})}]
        bought = track(user, "Order Completed", hours=-1, order_id=f"O-{user}", currency="THB", products=products)
        tell(web_shop, bought)

    def found(asked: dict[str, Any]) -> str:
        ids = audience.member_ids(audience.Question.of(parse(whole(asked)), EVERYTHING))
        return "".join(sorted(people[number] for number in ids))

    mauve = json.loads(json.dumps(condition).replace('"red"', '"mauve"'))
    assert found(condition) == "abc"
    assert found(mauve) == ""


@pytest.mark.parametrize("calculation", ["first", "last", "most_frequent", "unique_list"])
@pytest.mark.parametrize("is_stored", [True, False])
def test_a_computed_trait_knows_the_words_of_its_property(
    people: dict[int, str], make_trait: MakeTrait, calculation: str, is_stored: bool
) -> None:
    trait = make_trait("Colour", definition(calculation, "color"))
    type(trait).objects.filter(pk=trait.pk).update(computed_version=trait.version if is_stored else 0)

    def found(operator: str, value: Any) -> str:
        asked = parse(whole(asks("computed.colour", operator, value)))
        return "".join(sorted(people[one] for one in audience.member_ids(audience.Question.of(asked, EVERYTHING))))

    assert [found("is", "red"), found("in", ["สีแดง", "mauve"]), found("is_not", "RED")] == ["abc", "abc", "d"]
    assert [found("is", "mauve"), found("contains", "red")] == ["", "a"]


def test_a_trait_of_the_same_name_as_a_property_has_no_other_spellings() -> None:
    """And neither has a computed trait whose values are no values of a property."""
    written = [parse(whole(asks(name, "is", "red"), viewed_red())) for name in ("color", "computed.color")]
    for definition_, asked in zip(written, spellings.widened(written), strict=True):
        assert asked.where.of[0] == definition_.where.of[0]
        assert asked.where.of[1] != definition_.where.of[1]


def test_a_definition_stays_as_it_was_written() -> None:
    written = parse(viewed("is", "red"))
    (asked,) = spellings.widened([written])
    assert serialise(written) == {**viewed("is", "red"), "version": VERSION}
    assert {one.lower() for one in asked.where.of[0].filters[0].comparison.value} == {"red", "แดง", "สีแดง"}
    assert spellings.widened([parse(viewed("is", "mauve"))]) == [parse(viewed("is", "mauve"))]


def test_words_cost_one_query(django_assert_num_queries: Callable) -> None:
    nothing = parse(whole({"kind": "attribute", "trait": "city", "operator": "is", "value": "Red"}))
    with django_assert_num_queries(0):
        assert spellings.widened([nothing]) == [nothing]
    with django_assert_num_queries(1):
        spellings.widened([parse(viewed("is", "red")), parse(viewed("in", ["blue", "แดง"]))])


def test_the_properties_of_computed_traits_cost_one_more(
    people: dict[int, str], make_trait: MakeTrait, django_assert_num_queries: Callable
) -> None:
    make_trait("Colour", definition("last", "color"))
    make_trait("Views", definition("count"))
    with django_assert_num_queries(0):
        spellings.widened([parse(whole(asks("computed.views", "is", 1)))])
    with django_assert_num_queries(2):
        spellings.widened([parse(whole(asks("computed.colour", "is", "red"), asks("computed.colour", "is", "blue")))])


def test_the_customers_page_knows_the_word_that_is_explained_today(
    people: dict[int, str], steward: User, marketer: User
) -> None:
    segment = Segment.objects.create(name="Crimson", definition=viewed("is", "crimson"), created_by=marketer)
    person = Profile.objects.get(pk=next(number for number, user in people.items() if user == "b"))
    assert audience.standing(person, [segment], EVERYTHING).segments == []

    red = catalogue.spellings("color", "red")
    term = catalogue.Term.objects.get(attribute="color", label="Red")
    catalogue.save_term(
        term=term, attribute="color", label="Red", label_th="แดง", spellings=[*red, "crimson"], by=steward
    )

    assert audience.standing(person, [segment], EVERYTHING).segments == [segment]
