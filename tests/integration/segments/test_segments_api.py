"""Segments for programs: which there are, who is in one page by page, which of them a customer is in."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import AccessLogEntry, AuditEvent, Department, User
from cdp_site.wsgi import application
from ingestion.models import Source
from profiles.models import Profile, TraitGroup
from segments import authoring
from segments.api.views import LARGEST_SIZE
from segments.membership import following, refreshing
from segments.models import ComputedTrait, Segment
from segments.traits import authoring as computing
from segments.traits import keeping
from tests.customers import Tell, identify, profile_of, track
from tests.factories.programs import Program, program

pytestmark = pytest.mark.django_db

IN_TRANG = {"kind": "attribute", "trait": "city", "operator": "is", "value": "ตรัง"}


def segment(name: str, by: User, *, of: dict[str, Any] = IN_TRANG, is_common: bool = False) -> Segment:
    return authoring.create(
        name=name,
        description="",
        department=None if is_common else by.department,
        definition={"version": 1, "where": {"kind": "all", "of": [of]}},
        by=by,
    )


@pytest.fixture
def people(tell: Tell, pos: Source, web_shop: Source) -> list[Profile]:
    """Seven of Trang, the last of whom only marketing's shop knows."""
    tell(pos, *(identify(f"P{place}", firstName="Wichai", city="ตรัง") for place in range(6)))
    tell(web_shop, identify("u1", firstName="Somsri", city="ตรัง"))
    tell(pos, identify("P7", firstName="Piti", city="น่าน"))
    return [*(profile_of(pos, f"P{place}") for place in range(6)), profile_of(web_shop, "u1")]


@pytest.fixture
def warehouse() -> Program:
    return program(KeyScope.SEGMENTS_READ)


def members(asking: Program, of: Segment, **query: Any) -> Any:
    return asking.get(f"/api/v1/segments/{of.pk}/members", **query)


class TestList:
    def test_tells_those_in_use_that_the_department_may_use(
        self, warehouse: Program, marketer: User, care: Department, people: list[Profile]
    ) -> None:
        ours, everybodys = segment("Trang", marketer), segment("All of Trang", marketer, is_common=True)
        old = segment("Old", marketer, is_common=True)
        Segment.objects.filter(pk=old.pk).update(archived_at=timezone.now())
        told = warehouse.get("/api/v1/segments").json()["segments"]
        assert [(one["id"], one["name"], one["version"]) for one in told] == [
            (str(everybodys.pk), "All of Trang", 1),
            (str(ours.pk), "Trang", 1),
        ]
        of_care = program(KeyScope.SEGMENTS_READ, department=care).get("/api/v1/segments").json()["segments"]
        assert [one["id"] for one in of_care] == [str(everybodys.pk)]
        assert members(program(KeyScope.SEGMENTS_READ, department=care), ours).status_code == 404
        assert members(warehouse, old).status_code == 404


class TestStored:
    def test_members_are_the_same_from_what_is_stored(
        self, warehouse: Program, marketer: User, people: list[Profile], tell: Tell, pos: Source
    ) -> None:
        trang = segment("Trang", marketer)
        asked_for = members(warehouse, trang).json()["members"]
        while refreshing.refresh():
            pass
        stored = members(warehouse, trang).json()
        assert stored["members"] == asked_for == [str(one.public_id) for one in people]
        path = f"/api/v1/profiles/{people[0].public_id}"
        assert [one["name"] for one in program().get(path, include="segments").json()["segments"]] == ["Trang"]
        tell(pos, identify("P0", city="น่าน") | {"messageId": "moved"})
        while following.follow():
            pass
        assert program().get(path, include="segments").json()["segments"] == []
        assert members(warehouse, trang).json()["members"] == asked_for[1:]


class TestMembers:
    def test_come_page_by_page_each_once(self, warehouse: Program, marketer: User, people: list[Profile]) -> None:
        trang = segment("Trang", marketer)
        found: list[str] = []
        query: dict[str, Any] = {"size": 3}
        pages = 0
        while True:
            page = members(warehouse, trang, **query).json()
            found += page["members"]
            pages += 1
            if page["next"] is None:
                break
            query["after"] = page["next"]
        assert pages == 3
        assert found == [str(one.public_id) for one in people]
        assert page["segment"]["name"] == "Trang"
        assert timezone.now() - parse_datetime(page["as_of"]) < timedelta(minutes=1)

    def test_nobody_is_left_out_or_told_twice_when_somebody_leaves_meanwhile(
        self, warehouse: Program, marketer: User, people: list[Profile], tell: Tell, pos: Source
    ) -> None:
        trang = segment("Trang", marketer)
        first = members(warehouse, trang, size=3).json()
        tell(pos, identify("P2", city="น่าน") | {"messageId": "moved"})  # whom the next page begins behind
        rest = members(warehouse, trang, size=10, after=first["next"]).json()
        assert first["members"] + rest["members"] == [str(one.public_id) for one in people]

    def test_a_page_that_begins_behind_nobody_is_no_end(
        self, warehouse: Program, marketer: User, people: list[Profile]
    ) -> None:
        answer = members(warehouse, segment("Trang", marketer), after=uuid4())
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "after")

    def test_a_department_is_told_its_own(self, marketer: User, people: list[Profile], care: Department) -> None:
        trang = segment("Trang", marketer, is_common=True)
        of_care = members(program(KeyScope.SEGMENTS_READ, department=care), trang).json()["members"]
        assert of_care == [str(one.public_id) for one in people[:-1]], "the last is marketing's"

    def test_a_segment_of_what_the_department_does_not_see_tells_nothing(
        self, warehouse: Program, marketer: User, people: list[Profile]
    ) -> None:
        trang = segment("Trang", marketer)
        faith = {"kind": "attribute", "trait": "religion", "operator": "known", "value": None}
        hidden = {**trang.definition, "where": {"kind": "all", "of": [faith]}}
        Segment.objects.filter(pk=trang.pk).update(definition=hidden)
        answer = members(warehouse, trang)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "hidden_fields")

    def test_each_member_is_logged_and_the_reading_audited(
        self, warehouse: Program, marketer: User, people: list[Profile]
    ) -> None:
        trang = segment("Trang", marketer)
        members(warehouse, trang, size=2)
        actor = f"key:{warehouse.row.pk}"
        logged = AccessLogEntry.objects.filter(actor=actor, what="profile.api").values_list("profile", flat=True)
        assert set(logged) == {one.public_id for one in people[:2]}
        event = AuditEvent.objects.get(action="segment.read_members")
        assert (event.actor, event.target_id) == (actor, str(trang.pk))

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"size": 0}, "size"),
            ({"size": LARGEST_SIZE + 1}, "size"),
            ({"size": "x"}, "size"),
            ({"after": "x"}, "after"),
        ],
    )
    def test_what_is_wrong_is_said(self, warehouse: Program, marketer: User, query: dict[str, Any], field: str) -> None:
        answer = members(warehouse, segment("Trang", marketer), **query)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)

    def test_a_segment_that_is_not_there(self, warehouse: Program) -> None:
        assert warehouse.get(f"/api/v1/segments/{uuid4()}/members").status_code == 404

    def test_analysts_see_segments_and_no_members_outsiders_neither(
        self, login: Any, analyst: User, outsider: User, marketer: User, people: list[Profile]
    ) -> None:
        trang = segment("Trang", marketer)
        path = f"/api/v1/segments/{trang.pk}/members"
        assert login(analyst).get("/api/v1/segments").status_code == 200
        assert login(analyst).get(path).status_code == 404
        assert login(marketer).get(path).status_code == 200
        for address in ("/api/v1/segments", path):
            assert login(outsider).get(address).status_code == 404
            assert Client().get(address).status_code == 401


def test_a_customers_answer_names_the_segments(marketer: User, people: list[Profile], care: Department) -> None:
    ours = segment("Trang", marketer)
    segment("Nan", marketer, of=IN_TRANG | {"value": "น่าน"})
    path = f"/api/v1/profiles/{people[0].public_id}"
    assert program(KeyScope.PROFILES_READ).get(path).json()["segments"] == [{"id": str(ours.pk), "name": "Trang"}]
    assert program(KeyScope.PROFILES_READ, department=care).get(path).json()["segments"] == []


@pytest.fixture
def visits(marketer: User, people: list[Profile], tell: Tell, web_shop: Source) -> ComputedTrait:
    """How often a customer viewed a product."""
    tell(web_shop, identify("u0"), track("u0", "Product Viewed"))  # the event is known now
    pick = {
        "kind": "touchpoint",
        "event": "Product Viewed",
        "count": {"bound": "at_least", "n": 1},
        "window": {"kind": "ever"},
        "filters": [],
    }
    return computing.create(
        name="Visits",
        name_th="",
        description="",
        group=TraitGroup.objects.get(slug="other"),
        definition={
            "version": 2,
            "calculation": "count",
            "property": "",
            "per_channel": False,
            "where": {"kind": "any", "of": [pick]},
        },
        by=marketer,
    )


class TestComputedTraits:
    def test_are_told_as_segments_call_them(
        self, tell: Tell, web_shop: Source, people: list[Profile], visits: ComputedTrait
    ) -> None:
        tell(web_shop, track("u1", "Product Viewed"), track("u1", "Product Viewed", hours=1))
        while keeping.follow() or keeping.refresh():
            pass
        for profile, n in ((people[-1], 2), (people[0], 0)):
            told = program().get(f"/api/v1/profiles/{profile.public_id}", include="computed").json()
            assert told["computed"] == {f"computed.{visits.slug}": n}

    def test_are_of_what_the_department_sees(
        self, tell: Tell, web_shop: Source, pos: Source, marketing: Department, care: Department, visits: ComputedTrait
    ) -> None:
        tell(pos, identify("P1", phone="0863451972") | {"messageId": "calls"}, track("P1", "Product Viewed"))
        tell(web_shop, identify("u2", phone="0863451972"), track("u2", "Product Viewed"))
        path = f"/api/v1/profiles/{profile_of(pos, 'P1').public_id}"
        of_each = {one: program(department=one).get(path).json()["computed"] for one in (marketing, care)}
        assert of_each == {marketing: {f"computed.{visits.slug}": 2}, care: {f"computed.{visits.slug}": 1}}


class TestTheDocument:
    @pytest.fixture
    def document(self, client: Client) -> dict[str, Any]:
        found: dict[str, Any] = client.get("/api/schema").json()
        return found

    def test_says_how_a_program_comes_in(self, document: dict[str, Any]) -> None:
        assert document["components"]["securitySchemes"]["machineKey"]["scheme"] == "bearer"
        for path, scope in (
            ("/api/v1/profiles/{identifier}", "profiles:read"),
            ("/api/v1/profiles/lookup", "profiles:read"),
            ("/api/v1/profiles/merge", "customers:merge"),
            ("/api/v1/segments", "segments:read"),
            ("/api/v1/segments/{segment_id}/members", "segments:read"),
        ):
            (operation,) = document["paths"][path].values()
            assert {"machineKey": []} in operation["security"], path
            assert f"`{scope}`" in operation["description"], path
            assert {"200", "401", "403", "404", "429"} <= set(operation["responses"]), path

    def test_names_just_the_parts_that_are_answered(
        self, document: dict[str, Any], people: list[Profile], marketer: User
    ) -> None:
        segment("Trang", marketer)
        schemas = document["components"]["schemas"]
        told = program().get(f"/api/v1/profiles/{people[0].public_id}").json()
        assert set(told) == set(schemas["Customer"]["properties"])
        assert set(told["consents"][0]) == set(schemas["Consent"]["properties"])
        assert set(told["segments"][0]) == set(schemas["SegmentOfCustomer"]["properties"])
        assert set(told["records"][0]) == set(schemas["SourceRecord"]["properties"])

    @pytest.mark.django_db(transaction=True)  # the real application closes its connection after each request
    @pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
    def test_is_true_whatever_a_program_sends(self, people: list[Profile], mode: schemathesis.GenerationMode) -> None:
        headers = {"Authorization": f"Bearer {program().text}"}
        schema = schemathesis.openapi.from_wsgi("/api/schema", application)
        checked = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            if not operation.path.startswith(("/api/v1/profiles", "/api/v1/segments")):
                continue

            @given(case=operation.as_strategy(generation_mode=mode))
            @settings(
                max_examples=10, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            def send(case: schemathesis.Case) -> None:
                nonlocal checked
                answer = case.call(headers=headers)
                case.validate_response(
                    answer, checks=[not_a_server_error, status_code_conformance, response_schema_conformance]
                )
                checked += 1

            send()
        assert checked > 50
