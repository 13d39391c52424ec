"""Customers and their merges by the API: a real client over HTTP, and what each answer says."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from cdp_site.core.models import AccessLogEntry, AuditEvent, Department, Operation, User
from ingestion.models import Source
from profiles import merging, notes
from profiles.matching import verified
from profiles.models import LinkDecision, MatchLabel, Profile, SourceRecord
from profiles.state import hashes
from tests.customers import Tell, identify, profile_of

pytestmark = pytest.mark.usefixtures("in_english")

Login = Callable[[User], Client]


@pytest.fixture
def twin(tell: Tell, call_centre: Source, somchai: Profile) -> Profile:
    tell(call_centre, identify("C2", firstName="สมชาย", lastName="ใจดี", phone="0863459999"))
    return profile_of(call_centre, "C2")


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def post(client: Client, name: str, body: object, **headers: str) -> Any:
    return client.post(reverse(f"profiles:{name}"), json.dumps(body), content_type="application/json", headers=headers)


class Program:
    """Somebody's script: logs in as a person does, keeps the cookies, sends the CSRF token along."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def log_in(self, name: str, password: str) -> None:
        self.opener.open(f"{self.base}/login/").read()
        form = {"username": name, "password": password, "csrfmiddlewaretoken": self.token}
        self.opener.open(f"{self.base}/login/", urllib.parse.urlencode(form).encode()).read()

    @property
    def token(self) -> str:
        return next((cookie.value or "" for cookie in self.cookies if cookie.name == "csrftoken"), "")

    def call(self, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, Any], str]:
        """Status, body, and the address that it came from."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json", "X-CSRFToken": self.token, **headers}
        try:
            with self.opener.open(urllib.request.Request(self.base + path, data, given)) as answer:
                return answer.status, json.load(answer), answer.url
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal), refusal.url


@pytest.mark.django_db(transaction=True)
def test_a_program_merges_previews_explains_and_takes_back(
    live_server: LiveServer, somchai: Profile, twin: Profile, care: Department
) -> None:
    steward = User.objects.create_user("script", password="a-long-password-7", role="steward", department=care)
    before = hashes([somchai.pk, twin.pk])
    program = Program(live_server.url)
    assert program.call(f"/api/v1/profiles/{somchai.public_id}")[:2] == (
        401,
        {"error": {"code": "unauthenticated", "message": "Log in first.", "field": None, "hint": None}},
    )
    program.log_in("script", "a-long-password-7")
    both = {"profiles": [str(somchai.public_id), str(twin.public_id)]}
    status, preview, _url = program.call("/api/v1/profiles/merge/preview", both)
    assert (status, len(preview["before"]), len(preview["after"])) == (200, 2, 1)
    assert hashes([somchai.pk, twin.pk]) == before

    status, done, _url = program.call("/api/v1/profiles/merge", both | {"reason": "called us"})
    assert status == 200
    ((live),) = done["profiles"]
    assert (live["public_id"], len(live["records"])) == (str(somchai.public_id), 4)

    status, customer, url = program.call(f"/api/v1/profiles/{twin.public_id}")  # the old id
    assert (status, url) == (200, f"{live_server.url}/api/v1/profiles/{somchai.public_id}")
    assert str(twin.public_id) in customer["merged_ids"]
    assert customer["name"] == "นายสมชาย ใจดี"
    status, story, _url = program.call(f"/api/v1/profiles/{twin.public_id}/explanation")
    assert status == 200
    assert [step["record"]["external_id"] for step in story["steps"]] == ["P1", "u1", "C1", "C2"]
    assert "called us" in {link["reason"] for step in story["steps"] for link in step["links"]}

    status, back, _url = program.call(
        "/api/v1/profiles/revert", {"operation": done["operation"], "reason": "it was his brother"}
    )
    assert (status, len(back["profiles"])) == (200, 2)
    assert hashes([somchai.pk, twin.pk]) == before
    assert AuditEvent.objects.filter(action="profile.merge", actor=f"user:{steward.pk}").exists()
    assert AccessLogEntry.objects.filter(what="profile.api", actor=f"user:{steward.pk}").exists()


@pytest.mark.django_db(transaction=True)
def test_an_outsiders_program_finds_nothing_and_without_the_token_nothing_is_written(
    live_server: LiveServer, somchai: Profile, twin: Profile, care: Department
) -> None:
    User.objects.create_user("nobody", password="a-long-password-7", role="")
    User.objects.create_user("script", password="a-long-password-7", role="steward", department=care)
    both = {"profiles": [str(somchai.public_id), str(twin.public_id)], "reason": "x"}
    outsider = Program(live_server.url)
    outsider.log_in("nobody", "a-long-password-7")
    for path, body in (
        (f"/api/v1/profiles/{somchai.public_id}", None),
        (f"/api/v1/profiles/{somchai.public_id}/explanation", None),
        ("/api/v1/profiles/merge", both),
        ("/api/v1/profiles/merge/preview", both),
        ("/api/v1/profiles/unmerge", both),
        ("/api/v1/profiles/unmerge/preview", both),
        ("/api/v1/profiles/revert", both),
    ):
        assert outsider.call(path, body)[0] == 404
    steward = Program(live_server.url)
    steward.log_in("script", "a-long-password-7")
    status, refusal, _url = steward.call("/api/v1/profiles/merge", both, **{"X-CSRFToken": "none"})
    assert (status, set(refusal["error"])) == (403, {"code", "message", "field", "hint"})
    assert not Operation.objects.exists()


@pytest.mark.django_db
class TestMerge:
    def test_agents_read_and_do_not_merge(self, somchai: Profile, twin: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        body = {"profiles": [str(somchai.public_id), str(twin.public_id)], "reason": "x"}
        assert post(client, "api_merge", body).status_code == 404
        assert client.get(reverse("profiles:api_profile", args=[somchai.public_id])).status_code == 200

    def test_the_same_request_with_the_same_key_is_done_once(
        self, somchai: Profile, twin: Profile, as_steward: Client
    ) -> None:
        body = {"profiles": [str(somchai.public_id), str(twin.public_id)], "reason": "x"}
        first, again = (post(as_steward, "api_merge", body, **{"Idempotency-Key": "k1"}) for _time in range(2))
        assert first.status_code == again.status_code == 200
        assert first.json() == again.json()
        assert Operation.objects.count() == 1
        without_key = post(as_steward, "api_merge", body)
        assert (without_key.status_code, without_key.json()["error"]["code"]) == (409, "conflict")

    def test_a_key_says_nothing_about_another_request(
        self, somchai: Profile, twin: Profile, manee: Profile, as_steward: Client
    ) -> None:
        for other in (twin, manee):
            body = {"profiles": [str(somchai.public_id), str(other.public_id)], "reason": "x"}
            assert post(as_steward, "api_merge", body, **{"Idempotency-Key": "k1"}).status_code == 200
        assert Operation.objects.count() == 2

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"profiles": []}, "profiles"),
            ({"profiles": ["not an id", "x"]}, "profiles"),
            ({"profiles": None}, "profiles"),
            ({"reason": ""}, "reason"),
            ({"reason": "x" * 301}, "reason"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(
        self, somchai: Profile, twin: Profile, as_steward: Client, change: dict[str, object], field: str
    ) -> None:
        body = {"profiles": [str(somchai.public_id), str(twin.public_id)], "reason": "x"} | change
        answer = post(as_steward, "api_merge", body)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "invalid")
        assert error["field"].split(".")[0] == field
        assert error["message"]

    def test_what_is_no_json_or_the_same_customer_twice_is_refused(self, somchai: Profile, as_steward: Client) -> None:
        path = reverse("profiles:api_merge")
        broken = as_steward.post(path, "{", content_type="application/json")
        assert (broken.status_code, set(broken.json()["error"])) == (400, {"code", "message", "field", "hint"})
        twice = {"profiles": [str(somchai.public_id)] * 2, "reason": "x"}
        assert post(as_steward, "api_merge", twice).status_code == 400
        key = {"Idempotency-Key": "k" * 201}
        assert post(as_steward, "api_merge", twice, **key).json()["error"]["field"] == "Idempotency-Key"

    def test_it_teaches_and_what_is_taken_back_teaches_no_more(
        self, somchai: Profile, twin: Profile, as_steward: Client, steward: User
    ) -> None:
        body = {"profiles": [str(twin.public_id), str(somchai.public_id)], "reason": "x"}
        done = post(as_steward, "api_merge", body).json()
        label = MatchLabel.objects.get()
        assert (label.record_a_id, label.record_b_id) == (record("P1"), record("C2"))
        assert (label.verdict, label.origin, label.by, str(label.operation_id)) == (
            *("same", "profile", steward),
            done["operation"],
        )
        post(as_steward, "api_revert", {"operation": done["operation"], "reason": "no"})
        label.refresh_from_db()
        assert label.undone_at is not None


@pytest.mark.django_db
class TestUnmerge:
    def test_records_go_with_what_hangs_on_them(
        self, somchai: Profile, as_steward: Client, steward: User, call_centre: Source
    ) -> None:
        body = {"profile": str(somchai.public_id), "records": [record("C1")]}
        preview = post(as_steward, "api_preview_unmerge", body).json()
        assert sorted(map(len, preview["after"])) == [1, 2]
        done = post(as_steward, "api_unmerge", body | {"reason": "his father"}).json()
        assert [len(one["records"]) for one in done["profiles"]] == [2, 1]
        assert LinkDecision.objects.filter(action="never", operation_id=done["operation"]).exists()
        label = MatchLabel.objects.get()
        assert (label.verdict, label.record_a_id, label.record_b_id) == ("different", record("P1"), record("C1"))

    def test_notes_of_which_nobody_knows_where_they_go_are_asked_about(
        self, somchai: Profile, as_steward: Client, agent: User
    ) -> None:
        notes.add(profile=somchai, text="calls back", by=agent)
        noted = SourceRecord.objects.get(kind="agent").pk
        body = {"profile": str(somchai.public_id), "records": [record("C1")], "reason": "his father"}
        refusal = post(as_steward, "api_unmerge", body)
        assert (refusal.status_code, refusal.json()["error"]["code"]) == (400, "notes_unclear")
        assert str(noted) in refusal.json()["error"]["hint"]
        answer = post(as_steward, "api_unmerge", body | {"notes_to": {str(noted): record("C1")}})
        assert answer.status_code == 200
        assert SourceRecord.objects.get(pk=noted).tied_to_id == record("C1")

    @pytest.mark.parametrize(("records", "status"), [([], 400), ([0], 400), ([999_999_999], 409), (["P1"], 400)])
    def test_records_that_are_not_the_customers(
        self, somchai: Profile, as_steward: Client, records: list[object], status: int
    ) -> None:
        body = {"profile": str(somchai.public_id), "records": records, "reason": "x"}
        assert post(as_steward, "api_unmerge", body).status_code == status
        assert post(as_steward, "api_preview_unmerge", body).status_code == status

    def test_an_operation_that_is_none(self, as_steward: Client) -> None:
        body = {"operation": "0193d5a1-0000-7000-8000-000000000000", "reason": "x"}
        answer = post(as_steward, "api_revert", body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (404, "operation")


@pytest.mark.django_db
class TestRead:
    def test_direct_identifiers_are_masked_and_other_sources_absent(
        self, somchai: Profile, login: Login, marketer: User
    ) -> None:
        client = login(marketer)
        customer = client.get(reverse("profiles:api_profile", args=[somchai.public_id])).json()
        assert customer["traits"]["email"] == ["s••••@baansabai.co.th"]
        assert {one["source"] for one in customer["records"]} == {"pos", "web"}
        assert len(customer["merged_ids"]) == 1
        text = client.get(reverse("profiles:api_explanation", args=[somchai.public_id])).content.decode()
        assert "0863451972" not in text
        assert "calls" not in text

    def test_what_is_not_the_readers_is_not_there(self, manee: Profile, login: Login, agent: User) -> None:
        for name in ("api_profile", "api_explanation"):
            answer = login(agent).get(reverse(f"profiles:{name}", args=[manee.public_id]))
            assert (answer.status_code, set(answer.json()["error"])) == (404, {"code", "message", "field", "hint"})

    def test_it_is_documented(self, client: Client) -> None:
        document = client.get(reverse("schema")).json()
        paths = {path: set(methods) for path, methods in document["paths"].items() if "/profiles/" in path}
        assert paths == {
            "/api/v1/profiles/merge": {"post"},
            "/api/v1/profiles/merge/preview": {"post"},
            "/api/v1/profiles/unmerge": {"post"},
            "/api/v1/profiles/unmerge/preview": {"post"},
            "/api/v1/profiles/revert": {"post"},
            "/api/v1/profiles/lookup": {"post"},
            "/api/v1/profiles/{identifier}": {"get"},
            "/api/v1/profiles/{public_id}/explanation": {"get"},
        }
        merge = document["paths"]["/api/v1/profiles/merge"]["post"]
        assert {"200", "400", "401", "404", "409"} <= set(merge["responses"])
        assert [one["name"] for one in merge["parameters"]] == ["Idempotency-Key"]
        assert merge["requestBody"]["required"]

    def test_the_explanation_has_just_the_fields_that_are_documented(
        self, somchai: Profile, as_steward: Client, steward: User
    ) -> None:
        verified.verify(profile=somchai, by=steward)
        merging.unmerge(profile=somchai, records=[record("C1")], by=steward, reason="his father")
        schemas = as_steward.get(reverse("schema")).json()["components"]["schemas"]
        story = as_steward.get(reverse("profiles:api_explanation", args=[somchai.public_id])).json()
        (link,) = story["steps"][1]["links"]
        for name, given in {
            "Explanation": story,
            "Verification": story["verified"],
            "Step": story["steps"][0],
            "Link": link,
            "ToldRecord": link["records"][0],
            "WeakestLink": story["weakest"],
            "RefusedJoin": story["refused"][0],
            "Decided": story["decided"][0],
        }.items():
            assert set(given) == set(schemas[name]["properties"]), name
