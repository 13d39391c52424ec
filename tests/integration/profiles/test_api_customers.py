"""Customers read by programs: by any identifier, exactly, with what upper apps add."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import AuditEvent, Department, Operation, User
from ingestion.models import Source
from profiles import identified, merging
from profiles.identified import Asked
from profiles.models import EventType, LinkDecision, MatchLabel, Profile, SourceRecord, Trait, TraitGroup
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.factories.arrivals import arrive
from tests.factories.programs import Program, program

pytestmark = pytest.mark.django_db


@pytest.fixture
def website() -> Program:
    return program()


class TestIdentifiers:
    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("email", "Somchai@BaanSabai.co.th"),
            ("phone", "086-345-1972"),
            ("phone", "+66 86 345 1972"),
            ("phone", "๐๘๖ ๓๔๕ ๑๙๗๒"),
            ("member_id", "M-88213"),
            ("member", "M-88213"),
            ("user", "u1"),
            ("order", "W-1"),
            ("order", "R-1"),
        ],
    )
    def test_lead_to_who_holds_them(self, website: Program, somchai: Profile, kind: str, value: str) -> None:
        answer = website.look_up(kind, value)
        assert answer.status_code == 200
        assert answer.json()["public_id"] == str(somchai.public_id)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [("email", "u1"), ("user", "086-345-1972"), ("phone", "1972"), ("order", "W-"), ("shoe", "42")],
    )
    def test_nothing_is_guessed(self, website: Program, somchai: Profile, kind: str, value: str) -> None:
        answer = website.look_up(kind, value)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")

    def test_a_number_means_the_system_that_gave_it(
        self, website: Program, tell: Tell, web_shop: Source, pos: Source
    ) -> None:
        tell(web_shop, identify("1001", firstName="มานี"))
        tell(pos, identify("1001", firstName="ปิติ"))
        several = website.look_up("user", "1001")
        assert (several.status_code, several.json()["error"]["code"]) == (409, "ambiguous")
        both = [str(profile_of(source, "1001").public_id) for source in (web_shop, pos)]
        assert sorted(several.json()["profiles"]) == sorted(both)
        assert website.look_up("user", "1001", source="pos").json()["name"] == "ปิติ"
        assert website.get("/api/v1/profiles/user@web:1001").json()["name"] == "มานี"

    def test_a_visitor_is_found_by_the_device_and_is_one_with_the_user_later(
        self, website: Program, tell: Tell, web_shop: Source
    ) -> None:
        tell(web_shop, {"type": "page", "messageId": "p", "anonymousId": "d-7", "timestamp": "2026-11-01T05:00:00Z"})
        visitor = website.get("/api/v1/profiles/device:d-7").json()
        assert visitor["kind"] == "anonymous"
        tell(web_shop, identify("u9", firstName="มานะ") | {"anonymousId": "d-7"})
        assert website.get("/api/v1/profiles/device:d-7").json()["name"] == "มานะ"

    def test_who_has_given_a_number_up_is_not_meant(self, website: Program, tell: Tell, pos: Source) -> None:
        tell(pos, identify("P5", firstName="ชูใจ", email="chujai@baansabai.co.th"))
        later = {"messageId": "later", "timestamp": (LATELY + timedelta(hours=1)).isoformat()}
        tell(pos, identify("P5", email="chujai.k@baansabai.co.th") | later)
        assert website.look_up("email", "chujai.k@baansabai.co.th").status_code == 200
        assert website.look_up("email", "chujai@baansabai.co.th").status_code == 404

    def test_what_a_browser_claims_leads_nowhere(self, website: Program, somchai: Profile, web_shop: Source) -> None:
        """Somebody writes another's address into a browser's console: the lookup still means who holds it."""
        claim = identify("mallory", email="somchai@baansabai.co.th")
        arrive(web_shop, claim, is_public_key=True, door="api")
        assert website.look_up("email", "somchai@baansabai.co.th").json()["public_id"] == str(somchai.public_id)

    def test_a_hidden_kind_finds_nobody(
        self, somchai: Profile, website: Program, marketing: Department, care: Department
    ) -> None:
        assert website.look_up("email", "somchai@baansabai.co.th").status_code == 200
        hers = TraitGroup.objects.create(slug="mail", name="Mail", kind_of_data="identity", department=marketing)
        Trait.objects.filter(name="email").update(group=hers)
        of_care = program(KeyScope.PROFILES_READ, department=care)
        assert of_care.look_up("email", "somchai@baansabai.co.th").status_code == 404
        assert of_care.look_up("phone", "0863451972").status_code == 200

    def test_an_order_of_another_department_finds_nobody(self, somchai: Profile, care: Department) -> None:
        of_care = program(KeyScope.PROFILES_READ, department=care)
        assert of_care.look_up("order", "R-1").status_code == 200
        EventType.objects.filter(name="Order Completed").update(department=Department.objects.get(slug="marketing"))
        assert of_care.look_up("order", "R-1").status_code == 404
        assert of_care.look_up("order", "W-1").status_code == 404

    def test_one_that_is_erased_or_merged_away_is_not_met_twice(
        self, website: Program, somchai: Profile, manee: Profile, steward: User
    ) -> None:
        merging.merge(profiles=[somchai, manee], by=steward, reason="one person")
        live = Profile.objects.live().get(pk__in=[somchai.pk, manee.pk])
        gone = manee if live == somchai else somchai
        assert website.look_up("user", "u7").json()["public_id"] == str(live.public_id)
        moved = website.get(f"/api/v1/profiles/{gone.public_id}", include="segments")
        assert (moved.status_code, moved["Location"]) == (
            302,
            f"/api/v1/profiles/{live.public_id}?include=segments",
        )


class TestAddresses:
    @pytest.mark.parametrize(
        "text",
        [
            "email:somchai@baansabai.co.th",
            "phone:0863451972",
            "member_id:M-88213",
            "national_id:1101700230708",
            "line_id:U1",
            "user:somchai@baansabai.co.th",
            "user:0863451972",
        ],
    )
    def test_nothing_personal_stands_in_one(self, website: Program, somchai: Profile, text: str) -> None:
        answer = website.get(f"/api/v1/profiles/{text}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "personal_in_address")
        assert "lookup" in answer.json()["error"]["hint"]

    @pytest.mark.parametrize(
        "text", ["user:1234567890123", "user:20251122001", "device:7d3c8a52-0001-4000-8000-123456789012"]
    )
    def test_a_long_number_is_not_taken_for_a_person(self, website: Program, text: str) -> None:
        assert website.get(f"/api/v1/profiles/{text}").status_code == 404

    @pytest.mark.parametrize(
        "text", ["x", "user:", ":1", "user: ", "user:%00", "0193D5A1-0000-7000-8000-000000000000", "@:"]
    )
    def test_what_is_no_identifier_is_said(self, website: Program, text: str) -> None:
        answer = website.get(f"/api/v1/profiles/{text}")
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "identifier")

    def test_are_read_as_they_are_told(self) -> None:
        assert identified.of_address("order@web:A:7") == Asked("order", "A:7", "web")


class TestAnswer:
    def test_brings_traits_records_segments_and_consents(
        self, website: Program, tell: Tell, pos: Source, somchai: Profile, marketer: User
    ) -> None:
        tell(pos, track("P1", "Consent Granted", purpose="marketing", channel="sms"))
        told = website.get(f"/api/v1/profiles/{somchai.public_id}").json()
        assert told["name"] == "นายสมชาย ใจดี"
        assert told["traits"]["email"] == "somchai@baansabai.co.th"
        assert {one["source"] for one in told["records"]} == {"pos", "web", "calls"}
        assert told["segments"] == []
        said = {(one["purpose"], one["channel"]): one for one in told["consents"]}
        by_sms = said["marketing", "sms"]
        assert (by_sms["state"], by_sms["may_use"], by_sms["why_not"]) == ("granted", True, None)
        by_mail = said["marketing", "email"]
        assert (by_mail["state"], by_mail["may_use"], by_mail["why_not"]) == ("never", False, "never_asked")

    def test_holds_just_the_parts_that_are_asked_for(self, website: Program, somchai: Profile) -> None:
        always = {"public_id", "merged_ids", "kind", "name", "traits"}
        path = f"/api/v1/profiles/{somchai.public_id}"
        assert website.get(path, include="consents,segments").json().keys() == always | {"consents", "segments"}
        assert website.get(path, include="").json().keys() == always
        lookup = website.look_up("user", "u1", include=["records"])
        assert lookup.json().keys() == always | {"records"}
        for wrong in (website.get(path, include="orders"), website.look_up("user", "u1", include=["orders"])):
            assert wrong.status_code == 400
            assert wrong.json()["error"]["field"].startswith("include")

    def test_is_kept_by_no_cache(self, website: Program, somchai: Profile) -> None:
        answer = website.get(f"/api/v1/profiles/{somchai.public_id}")
        assert "no-store" in answer["Cache-Control"]

    def test_asks_the_database_about_a_score_of_times(
        self, website: Program, somchai: Profile, django_assert_max_num_queries: Any
    ) -> None:
        website.get(f"/api/v1/profiles/{somchai.public_id}")  # notes the use of the key
        with django_assert_max_num_queries(20):
            website.get(f"/api/v1/profiles/{somchai.public_id}")
        with django_assert_max_num_queries(10):
            website.get(f"/api/v1/profiles/{somchai.public_id}", include="")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"value": "x"}, "kind"),
            ({"kind": "email"}, "value"),
            ({"kind": "E mail", "value": "x"}, "kind"),
            ({"kind": "email", "value": "x" * 300}, "value"),
            ({"kind": "user", "value": "x", "source": "no slug"}, "source"),
            ([], None),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, website: Program, body: Any, field: str | None) -> None:
        answer = website.post("/api/v1/profiles/lookup", body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)


def test_a_person_looks_up_by_the_session_and_the_token(
    somchai: Profile, login: Callable[[User], Client], agent: User, outsider: User
) -> None:
    body = {"kind": "phone", "value": "0863451972"}
    path = reverse("profiles:api_lookup")
    answer = login(agent).post(path, body, content_type="application/json")
    assert answer.json()["traits"]["phone"] == ["•••• 1972"]
    assert login(outsider).post(path, body, content_type="application/json").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(agent)
    assert strict.post(path, body, content_type="application/json").status_code == 403
    assert Client().post(path, body, content_type="application/json").status_code == 401


class TestMergingByKey:
    @pytest.fixture
    def cleaner(self) -> Program:
        return program(KeyScope.CUSTOMERS_MERGE)

    @pytest.fixture
    def both(self, somchai: Profile, manee: Profile) -> dict[str, Any]:
        return {"profiles": [str(somchai.public_id), str(manee.public_id)], "reason": "same in the till"}

    def test_a_program_merges_once_and_takes_it_back(self, cleaner: Program, both: dict[str, Any]) -> None:
        preview = cleaner.post("/api/v1/profiles/merge/preview", {"profiles": both["profiles"]})
        assert len(preview.json()["after"]) == 1
        first, again = (
            cleaner.post("/api/v1/profiles/merge", both, **{"Idempotency-Key": "k"}).json() for _time in range(2)
        )
        assert first == again
        actor = f"key:{cleaner.row.pk}"
        assert LinkDecision.objects.filter(actor=actor).exists()
        assert Operation.objects.filter(actor=actor).count() == 1
        assert AuditEvent.objects.filter(action="profile.merge", actor=actor).exists()
        assert not MatchLabel.objects.exists(), "models learn from people"
        back = cleaner.post("/api/v1/profiles/revert", {"operation": first["operation"], "reason": "no"})
        assert len(back.json()["profiles"]) == 2
        once_more = cleaner.post("/api/v1/profiles/merge", both | {"reason": "yes"})
        assert once_more.status_code == 200, "what a program parted a program may join"
        story = cleaner.get(f"/api/v1/profiles/{both['profiles'][0]}/explanation").json()
        assert "Program: Website" in str(story) or "โปรแกรม: Website" in str(story)

    def test_it_overrules_no_person(
        self, cleaner: Program, both: dict[str, Any], somchai: Profile, manee: Profile, steward: User
    ) -> None:
        done = merging.merge(profiles=[somchai, manee], by=steward, reason="one person")
        record = manee.birth_record.pk
        live = done.profiles[0]
        part = {"profile": str(live.public_id), "records": [record], "reason": "two in the till"}
        refused = cleaner.post("/api/v1/profiles/unmerge", part)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "overrules_a_person")
        back = {"operation": str(done.operation.pk), "reason": "no"}
        assert cleaner.post("/api/v1/profiles/revert", back).status_code == 404
        merging.unmerge(profile=live, records=[record], by=steward, reason="two people")
        refused = cleaner.post("/api/v1/profiles/merge", both)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "overrules_a_person")

    def test_it_parts_what_only_evidence_joined(self, cleaner: Program, somchai: Profile, call_centre: Source) -> None:
        record = SourceRecord.objects.get(external_id="C1").pk
        body = {"profile": str(somchai.public_id), "records": [record], "reason": "his father"}
        done = cleaner.post("/api/v1/profiles/unmerge", body)
        assert done.status_code == 200
        assert len(done.json()["profiles"]) == 2
