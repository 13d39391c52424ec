"""Computed traits for the tests beside this: a shopper, definitions, traits whose values are complete."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import Profile, TraitGroup
from segments import keeper
from segments.models import ComputedTrait, ComputedValue
from segments.traits import authoring, keeping
from tests.customers import Tell, identify, profile_of, track

Make = Callable[..., ComputedTrait]


def pick(event: str = "Product Viewed", **said: Any) -> dict[str, Any]:
    count = {"bound": "at_least", "n": 1}
    return {"kind": "touchpoint", "event": event, "count": count, "window": {"kind": "ever"}, "filters": []} | said


def definition(calculation: str, name: str = "", *picks: dict[str, Any], per_channel: bool = False) -> dict[str, Any]:
    where = {"kind": "any", "of": list(picks or (pick(),))}
    return {
        "version": 2,
        "calculation": calculation,
        "property": name,
        "per_channel": per_channel,
        "where": where,
    }


ORDERS = {
    "kind": "order_total",
    "measure": "sum",
    "operator": "at_least",
    "value": 0,
    "currency": "THB",
    "window": {"kind": "ever"},
}


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def text(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture(autouse=True)
def fresh_samples(db: None) -> None:
    cache.clear()


@pytest.fixture
def group(db: None) -> TraitGroup:
    found: TraitGroup = TraitGroup.objects.get(slug="behavioural")
    return found


@pytest.fixture
def make_trait(marketer: User, group: TraitGroup) -> Make:
    """A trait whose values are complete."""

    def make(name: str, written: dict[str, Any], by: User | None = None, **said: Any) -> ComputedTrait:
        trait = authoring.create(
            name=name,
            name_th=said.get("name_th", ""),
            description="",
            group=said.get("group", group),
            definition=written,
            by=by or marketer,
        )
        keeper.catch_up()
        trait.refresh_from_db()
        assert trait.is_complete
        return trait

    return make


@pytest.fixture
def shopper(tell: Tell, web_shop: Source, pos: Source) -> Profile:
    """Viewed three products in the web shop, one of them in the app's till."""
    tell(
        web_shop,
        identify("s1", firstName="มานี", lastName="ใจดี", phone="0863451972"),
        track("s1", "Product Viewed", hours=30, category="shoes", color="red", price=100),
        track("s1", "Product Viewed", hours=20, category="shoes", color="แดง", price=300),
        track("s1", "Product Viewed", hours=10, category="bags", color="blue", price=50),
        track("s1", "Order Completed", hours=9, order_id="O-1", total=990, currency="THB"),
    )
    tell(pos, identify("p1", firstName="มานี", lastName="ใจดี", phone="0863451972"))
    tell(pos, track("p1", "Product Viewed", hours=5, category="bags", price=70))
    return profile_of(web_shop, "s1")


def value_of(trait: ComputedTrait, profile: Profile) -> Any:
    found = ComputedValue.objects.filter(trait=trait, profile=profile).values_list("value", flat=True)
    return found.first()


def stored() -> set[tuple[int, int, str]]:
    rows = ComputedValue.objects.exclude(value=None).values_list("trait", "profile", "value")
    return {(trait, profile, str(value)) for trait, profile, value in rows}


def everything_anew() -> set[tuple[int, int, str]]:
    """What a computation of everybody would store."""
    for trait in ComputedTrait.objects.in_use():
        keeping.ask_everybody(trait)
    while keeping.refresh():
        pass
    return stored()


def rolling(hours: int) -> dict[str, Any]:
    return {"kind": "rolling", "n": hours, "unit": "hours"}


def asks(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"kind": "attribute", "trait": name, "operator": operator, "value": value}
