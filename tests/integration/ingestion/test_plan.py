"""The tracking plan: what traffic looks like, pinning, what does not follow; its pages and who sees what."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.models import AuditEvent, Department, User
from ingestion import rulebook
from ingestion.health.rates import Span
from ingestion.models import PlanObservation, PlanSchema, PlanViolation, QuarantinedItem, Source
from ingestion.plan import charts, observing, overview, pinning, violations
from ingestion.plan.schema import InvalidSchema
from profiles import digest
from profiles.models import EventType, Touchpoint
from tests.factories.arrivals import arrive, identify, track

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
PRICED = {"type": "object", "required": ["price"], "properties": {"price": {"type": "number"}}}
LIST, PIN = reverse("ingestion:plan"), reverse("ingestion:plan_pin")


def viewed(n: int = 1, **properties: Any) -> list[dict[str, Any]]:
    return [track("Product Viewed", "u1", **properties) for _ in range(n)]


def event_address(name: str, event: str = "Product Viewed") -> str:
    return reverse(f"ingestion:{name}") + f"?event={event}"


class TestObserving:
    def test_counts_events_exactly_and_properties_with_their_types(self, web_shop: Source, pos: Source) -> None:
        arrive(web_shop, *viewed(3, price=1), *viewed(1, price="dear", tags=["a"]), identify("u1"))
        arrive(pos, *viewed(2, products=[{"sku": "a"}, {"sku": "b", "price": None}], at={"shop": 1}))
        rows = PlanObservation.objects.values_list("source__slug", "property", "json_type", "n", "n_sampled")
        assert set(rows) == {
            ("web", "", "", 4, 4),
            ("web", "price", "integer", 3, 0),
            ("web", "price", "string", 1, 0),
            ("web", "tags", "array", 1, 0),
            ("pos", "", "", 2, 2),
            ("pos", "products", "array", 2, 0),
            ("pos", "products[].sku", "string", 2, 0),
            ("pos", "products[].price", "null", 2, 0),
            ("pos", "at", "object", 2, 0),
            ("pos", "at.shop", "integer", 2, 0),
        }

    def test_duplicates_and_refused_messages_are_no_traffic(self, web_shop: Source) -> None:
        message = viewed()[0]
        arrive(web_shop, message)
        arrive(web_shop, message, track("Product Viewed", None))
        assert PlanObservation.objects.get(property="").n == 1

    def test_a_large_step_is_sampled_and_still_counted_exactly(self, web_shop: Source) -> None:
        arrive(web_shop, *viewed(observing.SAMPLE * 3 + 1, price=1))
        event = PlanObservation.objects.get(property="")
        assert event.n == observing.SAMPLE * 3 + 1
        assert event.n_sampled <= observing.SAMPLE
        assert PlanObservation.objects.get(property="price").n == event.n_sampled

    def test_names_that_look_like_data_and_too_many_names_are_kept_together(
        self, web_shop: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(observing, "MAX_PROPERTIES", 3)
        arrive(web_shop, *viewed(1, **{"ann@example.com": 1, "a": 1, "b": 1, "c": 1, "0812345678": 1, "d": 1}))
        names = set(PlanObservation.objects.exclude(property="").values_list("property", flat=True))
        assert "…" in names
        assert len(names) <= 4
        assert not any("@" in name or "081" in name for name in names)

    def test_is_rolled_back_with_its_step(self, web_shop: Source) -> None:
        with transaction.atomic():
            observing.write([(web_shop.pk, "Product Viewed", {}, timezone.now())])
            transaction.set_rollback(True)
        assert not PlanObservation.objects.exists()

    def test_one_statement_a_step(self, web_shop: Source) -> None:
        now = timezone.now()
        seen = [(web_shop.pk, f"Event {n % 7}", {"a": n, "b": "c"}, now) for n in range(500)]
        with transaction.atomic():
            observing.write(seen)
        with (
            transaction.atomic(),
            CaptureQueriesContext(
                connection,
            ) as queries,
        ):
            observing.write(seen)
        assert len(queries) == 1


class TestPinning:
    def test_what_breaks_the_plan_is_held_back_and_counted(self, web_shop: Source) -> None:
        pinning.pin(event="Product Viewed", definition=PRICED, by="system:test")
        assert arrive(web_shop, *viewed(2, price=5), *viewed(3, price="5"), *viewed()) == {
            "stored": 2,
            "quarantined": 4,
        }
        found = QuarantinedItem.objects.values_list("reason", "event", "field", "detail").order_by("pk")
        assert set(found) == {
            ("plan", "Product Viewed", "properties.price", "properties.price: expected number"),
            ("plan", "Product Viewed", "properties.price", "properties.price: required"),
        }
        counted = PlanViolation.objects.values_list("event", "rule", "n")
        assert set(counted) == {
            ("Product Viewed", "properties.price: expected number", 3),
            ("Product Viewed", "properties.price: required", 1),
        }
        assert Touchpoint.objects.count() == 2

    def test_pages_are_held_to_it_under_their_events_name(self, web_shop: Source) -> None:
        required = {"type": "object", "required": ["path", "name"]}
        pinning.pin(event="Page Viewed", definition=required, by="system:test")
        page = {"type": "page", "userId": "u1", "name": "Home", "properties": {"path": "/"}}
        assert arrive(web_shop, page | {"messageId": "a"}, page | {"messageId": "b", "name": None}) == {
            "stored": 1, "quarantined": 1
        }  # fmt: skip

    def test_unpinned_everything_is_taken_again(self, web_shop: Source) -> None:
        pinning.pin(event="Product Viewed", definition=PRICED, by="system:test")
        assert pinning.unpin(event="Product Viewed", by="system:test")
        assert not pinning.unpin(event="Product Viewed", by="system:test")
        assert arrive(web_shop, *viewed()) == {"stored": 1}

    def test_versions_follow_one_another_and_one_is_pinned(self, steward: User) -> None:
        first = pinning.pin(event="Product Viewed", definition=PRICED, by=steward)
        assert pinning.pin(event="Product Viewed", definition=PRICED, by=steward) == first
        second = pinning.pin(event="Product Viewed", definition={"type": "object"}, by=steward)
        first.refresh_from_db()
        assert (second.version, second.is_pinned, first.is_pinned, first.unpinned_by) == (2, True, False, steward)
        assert AuditEvent.objects.filter(action="plan.pin", actor=f"user:{steward.pk}").count() == 2
        with pytest.raises(InvalidSchema):
            pinning.pin(event="Product Viewed", definition={"type": "object", "pattern": "x"}, by=steward)

    def test_is_proposed_from_what_came(self, web_shop: Source) -> None:
        arrive(web_shop, *viewed(2, price=1, color="red"), *viewed(1, price=2.5, color=None, size="M"))
        proposed = pinning.propose("Product Viewed")
        assert proposed == {
            "type": "object",
            "required": ["color", "price"],
            "properties": {
                "color": {"type": ["string", "null"]},
                "price": {"type": "number"},
                "size": {"type": "string"},
            },
        }

    def test_is_tried_on_recent_events(self, web_shop: Source, steward: User) -> None:
        arrive(web_shop, *viewed(3, price=1), *viewed(2, price="dear"), *viewed())
        found = pinning.try_on("Product Viewed", PRICED, by=steward)
        assert (found.n_tried, found.n_refused) == (6, 3)
        assert found.problems == (("properties.price: expected number", 2), ("properties.price: required", 1))

    def test_an_orders_lines_are_not_missed_in_a_trial(self, web_shop: Source, steward: User) -> None:
        arrive(web_shop, track("Order Completed", "u1", order_id="1", products=[{"sku": "a"}]))
        required = {"type": "object", "required": ["order_id", "products"]}
        assert pinning.try_on("Order Completed", required, by=steward).n_refused == 0

    def test_costs_one_small_query_a_step_while_nothing_is_pinned(self, web_shop: Source) -> None:
        arrive(web_shop, *viewed())
        with CaptureQueriesContext(connection) as queries:
            rulebook.refresh()
        assert len(queries) == 1
        assert not rulebook.current().checks


class TestViolations:
    def test_are_charted_over_an_hour_a_day_and_a_week(self, web_shop: Source) -> None:
        now = timezone.now()
        for age, n in ((timedelta(minutes=2), 1), (timedelta(hours=5), 2), (timedelta(days=5), 4)):
            at = violations.start_of_step(now - age)
            PlanViolation.objects.create(event="e", source=web_shop, rule="r", at=at, n=n)
        found = {span: charts.chart(PlanViolation.objects.all(), span) for span in Span}
        assert {span.value: chart.total for span, chart in found.items()} == {"hour": 1, "day": 3, "week": 7}
        assert [len(chart.bars) for chart in found.values()] == [12, 24, 28]
        assert sum(bar.n for bar in found[Span.HOUR].bars[-2:]) == 1

    def test_old_ones_go(self, web_shop: Source) -> None:
        for age in (timedelta(days=1), violations.KEPT + timedelta(days=1)):
            PlanViolation.objects.create(event="e", source=web_shop, rule="r", at=timezone.now() - age, n=1)
        assert violations.forget_old() == 1

    def test_all_names_that_are_not_planned_are_one_rule(self) -> None:
        assert violations.rule_of("properties.colour: not in the plan") == "properties.*: not in the plan"
        assert violations.rule_of("properties.price: required") == "properties.price: required"


class TestPages:
    def test_show_a_steward_events_properties_and_values(self, web_shop: Source, login: Login, steward: User) -> None:
        arrive(web_shop, *viewed(2, price=1290, color="red"))
        client = login(steward)
        listed = client.get(LIST).content.decode()
        assert "Product Viewed" in listed
        page = client.get(event_address("plan_event")).content.decode()
        for text in ("price", "whole number", "1290", "red", "Web shop", "Pin to a plan"):
            assert text in page

    def test_values_are_for_those_who_see_customers(
        self, web_shop: Source, login: Login, marketer: User, analyst: User, admin: User
    ) -> None:
        arrive(web_shop, *viewed(1, color="secretred"))
        for user in (marketer, analyst, admin):
            page = login(user).get(event_address("plan_event")).content.decode()
            assert "color" in page
            assert "secretred" not in page

    def test_a_department_sees_its_sources_and_events(
        self, web_shop: Source, call_centre: Source, care: Department, login: Login, marketer: User
    ) -> None:
        arrive(web_shop, *viewed())
        arrive(call_centre, track("Call Ended", "u1"))
        assert [line.event for line in overview.events(by=marketer)] == ["Product Viewed"]
        assert login(marketer).get(event_address("plan_event", "Call Ended")).status_code == 404
        EventType.objects.filter(name="Product Viewed").update(department=care)
        assert overview.events(by=User.objects.get(pk=marketer.pk)) == []
        assert login(marketer).get(event_address("plan_event")).status_code == 404

    def test_only_stewards_and_administrators_pin(
        self, web_shop: Source, login: Login, marketer: User, outsider: User, agent: User, admin: User
    ) -> None:
        arrive(web_shop, *viewed())
        for user in (marketer, outsider, agent):
            client = login(user)
            assert client.get(event_address("plan_pin")).status_code == 404
            assert client.post(event_address("plan_unpin")).status_code == 404
        for user in (outsider, agent):
            assert login(user).get(LIST).status_code == 404
            assert login(user).get(event_address("plan_event")).status_code == 404
        assert login(admin).get(event_address("plan_pin")).status_code == 200

    def test_a_plan_is_edited_tried_pinned_and_compared(self, web_shop: Source, login: Login, steward: User) -> None:
        arrive(web_shop, *viewed(2, price=1), *viewed(1, price="dear"))
        client = login(steward)
        form = {"rows": "1", "base": "{}", "path-0": "price", "kind-0": "number", "required-0": "on", "json": ""}
        tried = client.post(event_address("plan_pin"), form | {"do": "try"}).content.decode()
        assert "It would have refused 1 of 3 recent messages" in tried
        assert not PlanSchema.objects.exists()
        assert client.post(event_address("plan_pin"), form | {"do": "pin"}).status_code == 302
        assert PlanSchema.objects.get().schema == PRICED
        assert client.post(event_address("plan_pin"), form | {"do": "pin", "low-0": "1"}).status_code == 302
        changed = client.get(event_address("plan_diff") + "&from=1&to=2").content.decode()
        assert "minimum" in changed
        assert client.get(event_address("plan_diff") + "&from=1&to=9").status_code == 404
        bad = client.post(event_address("plan_pin"), form | {"do": "pin", "low-0": "little"})
        assert bad.status_code == 422
        assert "the lower limit does not fit the type" in bad.content.decode()

    def test_typed_json_is_taken_over_or_refused(self, web_shop: Source, login: Login, steward: User) -> None:
        arrive(web_shop, *viewed())
        client, form = login(steward), {"rows": "0", "base": "{}", "do": "json"}
        good = client.post(event_address("plan_pin"), form | {"json": '{"type": "object", "properties": {"zoo": {}}}'})
        assert 'value="zoo"' in good.content.decode()
        for typed in ("{", "[" * 9000, '{"type": "object", "$ref": "x"}'):
            assert client.post(event_address("plan_pin"), form | {"json": typed}).status_code == 422

    def test_a_pinned_event_that_is_always_refused_stays_in_sight(self, steward: User) -> None:
        pinning.pin(event="Product Viewed", definition=PRICED, by=steward)
        (line,) = overview.events(by=steward)
        assert (line.event, line.total, line.version) == ("Product Viewed", 0, 1)

    def test_the_chart_comes_alone_for_htmx(self, web_shop: Source, login: Login, steward: User) -> None:
        pinning.pin(event="Product Viewed", definition=PRICED, by=steward)
        arrive(web_shop, *viewed(3))
        client = login(steward)
        for address in (LIST + "?", event_address("plan_event") + "&"):
            for span in ("hour", "day", "week"):
                found = client.get(f"{address}span={span}", headers={"HX-Request": "true"}).content.decode()
                assert "3 messages refused" in found
                assert "<html" not in found

    def test_nothing_yet_says_so(self, login: Login, steward: User) -> None:
        assert "No events yet" in login(steward).get(LIST).content.decode()


def test_the_digest_reads_nothing_but_the_version_between_changes(web_shop: Source) -> None:
    arrive(web_shop, *viewed())
    with CaptureQueriesContext(connection) as queries:
        arrive(web_shop, *viewed())
        digest.drain()
    asked = [query["sql"] for query in queries if "correctionrule" in query["sql"] or "planschema" in query["sql"]]
    assert asked == []
