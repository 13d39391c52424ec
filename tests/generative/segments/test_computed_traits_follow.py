"""Stored values of computed traits are what a computation of everybody would store, and the segments that ask for them
follow, after any traffic and at any time."""

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import TraitGroup
from segments.models import ComputedTrait, ComputedValue, PendingValues
from segments.traits import keeping
from tests.generative.segments.test_membership_follows import VIEWED, Traffic, rolling

EVER = {"kind": "ever"}


def picks(event: str, window: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "touchpoint", "event": event, "count": {"bound": "at_least", "n": 1}, "window": window}


def money(window: dict[str, Any]) -> dict[str, Any]:
    amount = {"operator": "at_least", "value": 0, "currency": "THB"}
    return {"kind": "order_total", "measure": "sum", "window": window} | amount


TRAITS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "views": ("count", "", picks(VIEWED, EVER)),
    "views this week": ("count", "", picks(VIEWED, rolling(7))),
    "views today": ("count", "", picks(VIEWED, {"kind": "calendar_days", "n": 1})),
    "colour": ("most_frequent", "color", picks(VIEWED, rolling(24, "hours"))),
    "colours": ("unique_list", "color", picks(VIEWED, EVER)),
    "last view": ("days_since", "", picks(VIEWED, EVER)),
    "spent lately": ("sum", "", money(rolling(30))),
    "largest order": ("largest", "", money(EVER)),
}
ASKED: dict[str, tuple[str, str, Any]] = {
    "viewed twice this week, computed": ("computed.views_this_week", "at_least", 2),
    "likes red, computed": ("computed.colour", "is", "red"),
    "not seen for a week, computed": ("computed.last_view.days", "at_least", 7),
    "never spent, computed": ("computed.spent_lately", "at_most", 0),
    "viewed today, computed": ("computed.views_today", "at_least", 1),
}


class ComputedTraffic(Traffic):
    def __init__(self) -> None:
        super().__init__()
        group = TraitGroup.objects.get(slug="behavioural")
        for name, (calculation, property_name, pick) in TRAITS.items():
            where = {"kind": "any", "of": [pick]}
            ComputedTrait.objects.create(
                slug=name.replace(" ", "_"),
                name=name,
                group=group,
                definition={
                    "version": 2,
                    "calculation": calculation,
                    "property": property_name,
                    "per_channel": False,
                    "where": where,
                },
                data_type="text" if property_name else "number",
            )
        self.follow()
        for name, (trait, operator, value) in ASKED.items():
            self.create(name, [{"kind": "attribute", "trait": trait, "operator": operator, "value": value}])
        self.follow()

    @invariant()
    def stored_values_are_what_everybody_computed_would_say(self) -> None:
        assert not PendingValues.objects.exists()
        before = values()
        with transaction.atomic():
            for trait in ComputedTrait.objects.in_use():
                keeping.ask_everybody(trait)
            while keeping.refresh():
                pass
            assert values() == before
            transaction.set_rollback(True)


def values() -> dict[tuple[str, int], tuple[Any, Any]]:
    rows = ComputedValue.objects.values_list("trait__name", "profile", "value", "next_change_at")
    return {(trait, profile): (value, next_change) for trait, profile, value, next_change in rows}


@pytest.mark.django_db
def test_stored_values_follow(web_shop: Source, steward: User, compliance: User, marketer: User) -> None:
    ComputedTraffic.web, ComputedTraffic.steward = web_shop, steward
    ComputedTraffic.colleague, ComputedTraffic.marketer = compliance, marketer
    run_state_machine_as_test(
        ComputedTraffic,
        settings=settings(
            max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
