"""Definitions that mean harm, or that nobody foresaw: a clear message with its place, and never a slow query."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import EventType, Product, SourceRecord
from segments import audience, authoring, catalogue, evidence, references
from segments.builder.popularity import popularity
from segments.definition.nodes import MAX_CONDITIONS, MAX_DEPTH
from segments.definition.parse import DefinitionProblem, parse
from segments.models import Segment
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.conftest import viewed_red, whole
from tests.integration.segments.membership import did

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]


def asked(*conditions: dict[str, Any]) -> tuple[int, float]:
    """How many customers, and how long it took."""
    began = time.perf_counter()
    n = audience.count(audience.Question.of(references.parsed(whole(*conditions)), EVERYTHING))
    return n, time.perf_counter() - began


def members(*conditions: dict[str, Any]) -> set[str]:
    """Users of the web shop."""
    ids = audience.member_ids(audience.Question.of(references.parsed(whole(*conditions)), EVERYTHING))
    records = SourceRecord.objects.filter(memberships__profile__in=ids, memberships__valid_to=None)
    return set(records.values_list("external_id", flat=True))


def problems(definition: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionProblem) as caught:
        parse(definition)
    return [(one.place, one.code) for one in caught.value.problems]


def test_a_hundred_dear_conditions_are_asked_in_time_and_answered_right(
    clock: Any, viewers: None, tell: Tell, web_shop: Source, marketer: User
) -> None:
    """Each another set: none can be shared. The second fifty leave out who viewed blue (4, 5, 6) and who spent 20 (2),
    the first fifty who has bought something today (3)."""
    tell(web_shop, track("v2", "Order Completed", hours=1, order_id="O-2", total=20, currency="THB"))
    bought = {"order_id": "O-3", "total": 999, "currency": "THB", "products": [{"sku": "S1", "quantity": 1}]}
    tell(web_shop, track("v3", "Order Completed", hours=1, **bought))
    ever = {"kind": "ever"}
    conditions: list[dict[str, Any]] = []
    for n in range(1, MAX_CONDITIONS // 4 + 1):
        viewed, window = {"event": "Product Viewed"}, {"kind": "rolling", "n": n, "unit": "days"}
        conditions += [
            {
                "kind": "sequence",
                "first": viewed,
                "then": viewed,
                "same": "color",
                "within": {"n": n, "unit": "days"},
                "window": ever,
            },
            {
                "kind": "measure",
                **viewed,
                "measure": "most_frequent",
                "property": "color",
                "operator": "contains",
                "value": "lu" if n == 20 else f"e{n}",
                "window": ever,
            },
            {
                "kind": "order_line",
                "measure": "lines",
                "operator": "is",
                "value": 0 if n <= 12 else n,
                "window": window,
            },
            {"kind": "order_total", "measure": "sum", "operator": "is", "value": n, "currency": "THB", "window": ever},
        ]

    some, none = {"kind": "any", "of": conditions[:50]}, {"kind": "not", "of": conditions[50:]}
    assert len(conditions) == MAX_CONDITIONS == 100
    assert asked(some, none)[0] == 1
    assert members(some, none) == {"v1"}
    assert members(some) == {"v1", "v2", "v4", "v5", "v6"}
    assert members(none) == {"v1", "v3"}
    definition, known_at = references.parsed(whole(some, none)), LATELY + timedelta(minutes=1)
    for number in range(1, 7):
        lines = evidence.lines(profile_of(web_shop, f"v{number}"), definition, at=known_at, by=marketer)
        held = [line.mark is evidence.Mark.YES for line in lines]
        assert held == [number != 3, number in (1, 3)]


def test_a_depth_of_twenty_is_a_problem_where_it_begins() -> None:
    node: dict[str, Any] = viewed_red()
    for _level in range(20):
        node = {"kind": "any", "of": [node]}

    place = "/where" + "/of/0" * MAX_DEPTH
    assert problems({"version": 2, "where": node}) == [(place, "too-deep")]


BOMBS = ("(a+)+$", "(.*)*.*=.*", "%_%_%_%", "\\", "'; DROP TABLE x; --", "{}", "%(x)s")


def test_a_pattern_is_a_text_like_any_other(tell: Tell, web_shop: Source) -> None:
    """Values are looked for letter by letter: nothing in them is a pattern, a placeholder or SQL."""
    for number, comment in enumerate(["a" * 5_000 + "!", *BOMBS]):
        tell(web_shop, identify(f"b{number}", firstName="มานี"))
        tell(web_shop, track(f"b{number}", "Survey Answered", comment=comment))

    for bomb in BOMBS:
        for operator, expected in {"is": 1, "contains": 1, "starts_with": 1, "not_contains": len(BOMBS)}.items():
            condition = {
                "kind": "touchpoint",
                "event": "Survey Answered",
                "count": {"bound": "at_least", "n": 1},
                "window": {"kind": "ever"},
                "filters": [{"property": "comment", "operator": operator, "value": bomb}],
            }
            n, seconds = asked(condition)
            assert (n, operator, bomb) == (expected, operator, bomb)
            assert seconds < audience.LIMIT_SECONDS / 2


def test_stored_values_that_look_like_numbers_or_dates_cost_no_time(tell: Tell, web_shop: Source) -> None:
    odd = ["9" * 5_000, "1" * 400, "1e400", "2026-02-30", "2026-13-01T25:00:00Z", "٣", ["9" * 500, "x"]]
    for number, value in enumerate(odd):
        tell(web_shop, identify(f"o{number}", firstName="มานี"), track(f"o{number}", "Product Viewed", price=value))
    total = {
        "kind": "measure",
        "event": "Product Viewed",
        "measure": "sum",
        "property": "price",
        "operator": "is",
        "value": 0,
        "window": {"kind": "ever"},
    }

    n, seconds = asked(total)

    assert n == len(odd) - 1  # but for the one that is a number of 400 digits
    assert seconds < audience.LIMIT_SECONDS / 2


def test_what_the_builder_may_name_of_products_that_were_viewed(
    tell: Tell, web_shop: Source, make_segment: Make, marketer: User
) -> None:
    said = {"brand": "Siam", "weight": 5, "price": 3, "size": "M", "phone": "0812345678"}
    Product.objects.create(namespace="web", sku="S1", name="Shoe", attributes=said, version_at=LATELY)
    for one in ("b1", "b2", "b3", "b4", "b5"):
        tell(web_shop, identify(one, firstName="มานี"), track(one, "Product Viewed", sku="S1"), track(one, "Page Read"))
    tell(web_shop, track("b1", "Product Viewed", hours=1, sku="S9", brand="Andaman", color="red", size=38))

    def known(event: str) -> dict[str, str]:
        found = catalogue.properties(EventType.objects.get(name=event), EVERYTHING)
        return {name: field.type.value for name, field in found.items()}

    texts = dict.fromkeys(("brand", "color", "name", "sku"), "text")
    assert known("Product Viewed") == texts | {"weight": "number", "size": "any", "phone": "identifier"}
    assert "brand" not in known("Page Read")
    common = catalogue.common_properties("Product Viewed", "brand", EVERYTHING)
    assert {one.value: one.people for one in common} == {"Siam": catalogue.FEWEST_PEOPLE}
    fields = catalogue.fields(EVERYTHING, events=["Product Viewed"])
    (shares,) = popularity(fields, EVERYTHING, events=["Product Viewed"]).properties.values()
    assert (shares["sku"], shares["brand"], shares["weight"], shares["color"]) == ("100 %", "100 %", "83 %", "17 %")
    condition = did("Product Viewed", "at_least", 1, {"kind": "ever"}, brand="Siam")
    assert audience.count(audience.Question.of_segment(make_segment(condition, name="Siam"), EVERYTHING)) == 5


def test_what_the_builder_may_name_of_order_lines(
    tell: Tell, web_shop: Source, make_segment: Make, marketer: User
) -> None:
    Product.objects.create(
        namespace="web", sku="S1", name="Shoe", attributes={"brand": "Siam", "weight": 5}, version_at=LATELY
    )
    line = {"sku": "S1", "quantity": 2, "price": 100}
    tell(web_shop, identify("b1", firstName="มานี"))
    tell(web_shop, track("b1", "Order Completed", order_id="O1", currency="THB", products=[line]))
    condition = {
        "kind": "order_line",
        "measure": "spent",
        "operator": "at_least",
        "value": 200,
        "currency": "THB",
        "window": {"kind": "ever"},
        "filters": [{"property": "brand", "operator": "is", "value": "Siam"}],
    }

    segment = make_segment(condition, name="Siam")

    assert {"sku", "price", "brand", "weight"} <= catalogue.line_properties(EVERYTHING).keys()
    assert audience.member_ids(audience.Question.of_segment(segment, EVERYTHING)) == [profile_of(web_shop, "b1").pk]
    with pytest.raises(DefinitionProblem) as caught:
        make_segment({**condition, "filters": [{"property": "colour", "operator": "known"}]}, name="Unknown")
    assert [(one.place, one.code) for one in caught.value.problems] == [
        ("/where/of/0/filters/0/property", "property-unknown")
    ]


def test_a_definition_of_an_older_version_is_stored_as_this_one(viewers: None, marketer: User) -> None:
    old = {**whole(viewed_red()), "version": 1}
    segment = authoring.create(name="Old", description="", department=None, definition=old, by=marketer)

    assert segment.definition["version"] == 2
    Segment.objects.filter(pk=segment.pk).update(definition={**segment.definition, "version": 1})
    segment.refresh_from_db()
    audience.count(audience.Question.of_segment(segment, EVERYTHING))
    with pytest.raises(DefinitionProblem) as caught:
        references.parsed({**segment.definition, "version": 3})
    assert caught.value.problems[0].place == "/version"
