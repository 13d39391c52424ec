"""Stored membership is what an evaluation of everybody finds, after any traffic and at any time."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import Operation, User
from ingestion.models import Source
from profiles import catalogue, merging
from profiles.models import Membership, Profile, SourceRecord
from segments import audience, authoring, keeper
from segments.membership import reading
from segments.models import PendingMembership, Segment, SegmentPassage, SegmentState
from tests.factories.arrivals import DAY_ZERO, arrive, identify, track
from tests.generative.test_exactness import erase

BEGINNING = DAY_ZERO + timedelta(days=30)
USERS = st.sampled_from(["u1", "u2", "u3"])
EMAILS = st.sampled_from([None, "ann@baansabai.co.th", "bea@baansabai.co.th"])
AGO = st.sampled_from([0, 0, 0.001, 1, 23.9, 24, 24 * 6.5, 24 * 29, -5])  # hours before now; -5: a clock that is ahead


def rolling(n: int, unit: str = "days") -> dict[str, Any]:
    return {"kind": "rolling", "n": n, "unit": unit}


def did(event: str, bound: str, n: int, window: dict[str, Any], **filters: str) -> dict[str, Any]:
    return {
        "kind": "touchpoint",
        "event": event,
        "count": {"bound": bound, "n": n},
        "window": window,
        "filters": [{"property": name, "operator": "is", "value": value} for name, value in filters.items()],
    }


def spent(measure: str, operator: str, value: int, days: int) -> dict[str, Any]:
    return {
        "kind": "order_total",
        "measure": measure,
        "operator": operator,
        "value": value,
        "window": rolling(days),
        "currency": "THB",
    }


VIEWED = "Product Viewed"
DEFINITIONS: dict[str, list[dict[str, Any]]] = {
    "in Trang": [{"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}],
    "two red views in 7 days": [did(VIEWED, "at_least", 2, rolling(7), color="red")],
    "one view in an hour": [did(VIEWED, "exactly", 1, rolling(1, "hours"))],
    "at most one view in a day": [did(VIEWED, "at_most", 1, rolling(24, "hours"))],
    "viewed, but no order for 30 days": [
        did(VIEWED, "at_least", 1, {"kind": "ever"}),
        did("Order Completed", "exactly", 0, rolling(30)),
    ],
    "viewed today": [did(VIEWED, "at_least", 1, {"kind": "calendar_days", "n": 1})],
    "spent 1000 in 30 days": [spent("sum", "at_least", 1000, 30)],
    "spent little on average": [spent("average", "less_than", 700, 7)],
    "may be written to": [{"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"}],
    "can be reached": [{"kind": "reachable", "purpose": "marketing", "channel": "email"}],
    "birthday within a week": [
        {"kind": "attribute", "trait": "birth_date", "operator": "anniversary_in_next_days", "value": 7}
    ],
    "viewed, then ordered": [
        {
            "kind": "sequence",
            "first": {"event": VIEWED},
            "then": {"event": "Order Completed"},
            "within": {"n": 2, "unit": "days"},
            "window": rolling(7),
        }
    ],
    "saw red last in 7 days": [
        {
            "kind": "measure",
            "event": VIEWED,
            "measure": "last",
            "property": "color",
            "operator": "is",
            "value": "red",
            "window": rolling(7),
            "filters": [],
        }
    ],
    "bought two shoes in 7 days": [
        {
            "kind": "order_line",
            "measure": "quantity",
            "operator": "at_least",
            "value": 2,
            "window": rolling(7),
            "filters": [{"property": "category", "operator": "is", "value": "shoes"}],
        }
    ],
    "neither here nor there": [
        {
            "kind": "not",
            "of": [
                did(VIEWED, "at_least", 1, rolling(7)),
                {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"},
            ],
        }
    ],
}
HOPS = [timedelta(minutes=1), timedelta(hours=1), timedelta(hours=23), timedelta(days=6.5), timedelta(days=30)]


class Traffic(RuleBasedStateMachine):
    web: Source
    steward: User
    colleague: User
    marketer: User

    def __init__(self) -> None:
        super().__init__()
        self.block: Any = transaction.atomic()
        self.block._from_testcase = True  # as Django's own TestCase: durable blocks may stand within it
        self.block.__enter__()
        self.travel = time_machine.travel(BEGINNING, tick=False)
        self.clock = self.travel.start()
        self.undoable: list[Operation] = []
        arrive(self.web, track(VIEWED, "u1", day=self.day(0), color="red"))
        # Definitions name what has been seen, also when everybody is erased whose name is known.
        arrive(self.web, track(VIEWED, None, day=self.day(0), device="d0", color="red"))
        inner = [self.create(name, definition) for name, definition in DEFINITIONS.items()][1]
        self.create("not the red ones", [{"kind": "segment", "segment": str(inner.pk), "is_in": False}])
        self.follow()

    def create(self, name: str, conditions: list[dict[str, Any]]) -> Segment:
        definition = {"version": 2, "where": {"kind": "all", "of": conditions}}
        return authoring.create(name=name, description="", department=None, definition=definition, by=self.marketer)

    def teardown(self) -> None:
        self.travel.stop()
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def day(self, hours_ago: float) -> float:
        return (timezone.now() - DAY_ZERO) / timedelta(days=1) - hours_ago / 24

    def follow(self) -> None:
        keeper.catch_up()

    # -- what happens -------------------------------------------------------------------------------------------------

    @rule(
        user=USERS, email=EMAILS, province=st.sampled_from(["ตรัง", "น่าน"]), birthday=st.sampled_from(["11-02", "11-09"])
    )
    def says_who_they_are(self, user: str, email: str | None, province: str, birthday: str) -> None:
        traits = {"province": province, "birth_date": f"1990-{birthday}"} | ({"email": email} if email else {})
        arrive(self.web, identify(user, day=self.day(0), **traits))
        self.follow()

    @rule(user=USERS, color=st.sampled_from(["red", "red", "blue", None]), ago=AGO)
    def views(self, user: str, color: str | None, ago: float) -> None:
        said = {"color": color} if color else {"sku": "S1"}
        arrive(self.web, track(VIEWED, user, day=self.day(ago), **said))
        self.follow()

    @rule(color=st.sampled_from(["red", "red", "blue"]))
    def a_feed_tells_of_what_was_viewed(self, color: str) -> None:
        said = {"sku": "S1", "attributes": {"color": color}}
        catalogue.upsert([catalogue.read(said, namespace=self.web.slug, at=timezone.now())])
        self.follow()
        self.clock.shift(keeper.SOON)
        self.follow()

    @rule(device=st.sampled_from(["d1", "d2"]), user=st.sampled_from([None, "u1", "u2"]))
    def a_device_views(self, device: str, user: str | None) -> None:
        arrive(self.web, track(VIEWED, user, day=self.day(0), device=device, color="red"))
        self.follow()

    @rule(
        user=USERS,
        number=st.sampled_from(["o1", "o2", "o3"]),
        event=st.sampled_from(["Order Completed", "Order Completed", "Order Cancelled"]),
        total=st.sampled_from([Decimal(100), Decimal(600), Decimal(1000)]),
        ago=AGO,
    )
    def orders(self, user: str, number: str, event: str, total: Decimal, ago: float) -> None:
        said: dict[str, Any] = {"order_id": number, "total": float(total), "currency": "THB"}
        said["products"] = [{"sku": "S1", "category": "shoes", "quantity": 1 + (total > 500), "price": float(total)}]
        arrive(self.web, track(event, user, day=self.day(ago), **said))
        self.follow()

    @rule(user=USERS, event=st.sampled_from(["Consent Granted", "Consent Withdrawn"]))
    def answers(self, user: str, event: str) -> None:
        arrive(self.web, track(event, user, day=self.day(0), purpose="marketing", channel="email"))
        self.follow()

    @rule(hop=st.sampled_from(HOPS))
    def time_passes(self, hop: timedelta) -> None:
        self.clock.shift(hop)
        self.follow()

    @precondition(lambda self: Profile.objects.people().count() > 1)
    @rule(data=st.data())
    def steward_merges(self, data: st.DataObject) -> None:
        live = list(Profile.objects.people().order_by("pk"))
        chosen = data.draw(st.lists(st.sampled_from(live), min_size=2, max_size=2, unique_by=lambda one: one.pk))
        self.undoable.append(merging.merge(profiles=chosen, by=self.steward, reason="").operation)
        self.follow()

    @precondition(lambda self: self.undoable)
    @rule()
    def steward_undoes_the_last(self) -> None:
        merging.revert(operation=self.undoable.pop(), by=self.steward, reason="")
        self.follow()

    @precondition(lambda self: Profile.objects.people().exists())
    @rule(data=st.data())
    def somebody_is_erased(self, data: st.DataObject) -> None:
        person = data.draw(st.sampled_from(list(Profile.objects.people().order_by("pk"))))
        records = SourceRecord.objects.filter(
            pk__in=Membership.objects.filter(profile=person, valid_to=None).values("record")
        )
        names = [(one.source_id, one.kind, one.external_id) for one in records]
        self.undoable.clear()
        erase(names, steward=self.steward, colleague=self.colleague)
        self.follow()

    @rule(name=st.sampled_from(["in Trang", "one view in an hour"]), other=st.sampled_from(sorted(DEFINITIONS)))
    def a_definition_changes(self, name: str, other: str) -> None:
        segment = Segment.objects.get(name=name)
        definition = {"version": 2, "where": {"kind": "all", "of": DEFINITIONS[other]}}
        authoring.change(
            segment=segment, name=name, description="", department=None, definition=definition, by=self.marketer
        )
        self.follow()

    # -- what holds ---------------------------------------------------------------------------------------------------

    @invariant()
    def what_is_stored_is_what_everybody_asked_would_say(self) -> None:
        assert not PendingMembership.objects.exists()
        for segment in Segment.objects.all():
            question = replace(audience.Question.of_segment(segment, EVERYTHING), segment=None)
            stored = reading.member_ids(segment)
            assert stored == audience.member_ids(question), segment.name
            assert reading.size(segment) == len(stored)

    @invariant()
    def states_are_of_people_who_are_there(self) -> None:
        people = set(Profile.objects.people().values_list("pk", flat=True))
        assert set(SegmentState.objects.values_list("profile", flat=True)) <= people

    @invariant()
    def the_last_passage_says_the_state(self) -> None:
        last: dict[tuple[Any, int], bool] = {}
        for passage in SegmentPassage.objects.filter(profile__isnull=False).order_by("pk"):
            key = passage.segment_id, passage.profile_id
            assert last.get(key, False) != passage.entered, "they come and go in turn"
            last[key] = passage.entered
        inside = set(SegmentState.objects.filter(is_member=True).values_list("segment", "profile"))
        assert {key for key, is_in in last.items() if is_in} == inside


@pytest.mark.django_db
def test_stored_membership_follows(web_shop: Source, steward: User, compliance: User, marketer: User) -> None:
    Traffic.web, Traffic.steward, Traffic.colleague, Traffic.marketer = web_shop, steward, compliance, marketer
    run_state_machine_as_test(
        Traffic,
        settings=settings(
            max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
