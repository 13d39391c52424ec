"""Programs before the rules of access: which doors a key opens, with whose eyes, how often; what is written down."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from cdp_site.core.machines import keys
from cdp_site.core.machines.doors import limiter
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import AccessLogEntry, AuditEvent, Department, MachineKey, User
from ingestion import keys as write_keys
from ingestion.models import Source
from profiles import access_matrix
from profiles.models import Profile
from tests.customers import Tell
from tests.factories.programs import Program, program
from tests.integration.access import world
from tests.integration.access.test_truth_table import body, hidden_from
from tests.integration.access.world import World
from tests.routes import routes

pytestmark = pytest.mark.django_db

# The truth about keys, written by hand: which scope opens which address. No other address takes a key.
KEYS = {
    "profiles:api_profile": KeyScope.PROFILES_READ,
    "profiles:api_lookup": KeyScope.PROFILES_READ,
    "profiles:api_explanation": KeyScope.CUSTOMERS_MERGE,
    "profiles:api_merge": KeyScope.CUSTOMERS_MERGE,
    "profiles:api_preview_merge": KeyScope.CUSTOMERS_MERGE,
    "profiles:api_unmerge": KeyScope.CUSTOMERS_MERGE,
    "profiles:api_preview_unmerge": KeyScope.CUSTOMERS_MERGE,
    "profiles:api_revert": KeyScope.CUSTOMERS_MERGE,
    "segments:api_segments": KeyScope.SEGMENTS_READ,
    "segments:api_members": KeyScope.SEGMENTS_READ,
}
ROUTES = {route.name: route for route in routes()}
POSTED = {name for name in KEYS if name not in {"profiles:api_profile", "profiles:api_explanation"}} - {
    "segments:api_segments",
    "segments:api_members",
}


@pytest.fixture
def canaries(
    tell: Tell, web_shop: Source, pos: Source, call_centre: Source, marketer: User, agent: User, care: Department
) -> World:
    return world.build(
        tell, web_shop=web_shop, pos=pos, call_centre=call_centre, marketer=marketer, agent=agent, care=care
    )


def knock(asking: Program, name: str, canaries: World) -> Any:
    path = reverse(name, kwargs=canaries.arguments(ROUTES[name].parameters))
    return asking.post(path, {}) if name in POSTED else asking.get(path)


def test_these_addresses_take_keys_and_no_others() -> None:
    taking = {name: getattr(route.pattern.callback, "key_scope", None) for name, route in ROUTES.items()}
    assert {name: scope for name, scope in taking.items() if scope is not None} == KEYS


@pytest.mark.parametrize("scope", KeyScope)
def test_a_scope_opens_its_own_addresses_alone(scope: KeyScope, canaries: World) -> None:
    asking = program(scope) if scope != KeyScope.IDENTIFIERS_READ else program(scope, KeyScope.SEGMENTS_READ)
    for name, needed in KEYS.items():
        answer = knock(asking, name, canaries)
        if needed in asking.row.scopes:
            assert answer.status_code in (200, 400), name  # 400: nothing was said in the body
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), name
            assert "Wichai" not in body(answer)


def test_a_key_opens_no_page(canaries: World) -> None:
    """Pages do not know keys: who brings one is nobody."""
    asking = program()
    for path in ("/customers/", f"/customers/{canaries.customer.public_id}/", "/segments/", "/access/keys/", "/admin/"):
        assert asking.get(path).status_code in (302, 404), path


@pytest.mark.parametrize("text", ["key_wrong", "", "a b c", "กุญแจ"])
def test_what_is_no_key_is_401_in_the_one_shape(text: str, canaries: World) -> None:
    for name in KEYS:
        answer = knock(Program(text), name, canaries)
        assert answer.status_code == 401, name
        assert set(answer.json()["error"]) == {"code", "message", "field", "hint"}


def test_a_sources_write_key_reads_nothing(canaries: World, web_shop: Source) -> None:
    for is_public in (True, False):
        _row, text = write_keys.make(source=web_shop, by="system:test", is_public=is_public)
        for name in KEYS:
            assert knock(Program(text), name, canaries).status_code == 401


def test_revoked_it_is_refused_at_once(canaries: World) -> None:
    asking = program()
    assert knock(asking, "profiles:api_profile", canaries).status_code == 200
    keys.revoke(key=asking.row, by="system:test")
    assert knock(asking, "profiles:api_profile", canaries).status_code == 401


def test_a_program_has_no_login_that_would_be_kept(somchai: Profile) -> None:
    asking = program(KeyScope.PROFILES_READ)
    answer = asking.get(reverse("profiles:api_profile", args=[somchai.public_id]))
    assert answer.status_code == 200
    assert not answer.cookies
    assert not Session.objects.exists()


class TestEyes:
    @pytest.mark.parametrize("letter", ["A", "M"])
    def test_of_a_department_read_what_its_people_read(
        self, letter: str, canaries: World, request: pytest.FixtureRequest
    ) -> None:
        """Masked as for people, and nothing of another department in any answer."""
        department = request.getfixturevalue("care" if letter == "A" else "marketing")
        asking = program(KeyScope.PROFILES_READ, KeyScope.SEGMENTS_READ, department=department)
        hidden = hidden_from(letter)
        answers = [knock(asking, name, canaries) for name in ("profiles:api_profile", "segments:api_segments")]
        answers.append(asking.look_up("phone", "089 123 4871"))
        assert {answer.status_code for answer in answers} == {200}
        members = knock(asking, "segments:api_members", canaries)
        assert members.status_code == (200 if letter == "M" else 404), "the segment is marketing's"
        told = "".join(map(body, [*answers, members]))
        assert "Wichai" in told
        assert [field for field, texts in hidden.items() if any(text in told for text in texts)] == []

    def test_see_identifiers_by_a_scope_of_its_own(self, canaries: World) -> None:
        masked = knock(program(KeyScope.PROFILES_READ), "profiles:api_profile", canaries).json()
        assert masked["traits"]["phone"] == ["•••• 4871"]
        whole = knock(program(KeyScope.PROFILES_READ, KeyScope.IDENTIFIERS_READ), "profiles:api_profile", canaries)
        assert whole.json()["traits"]["phone"] == "+66891234871"

    def test_of_all_departments_see_no_sensitive_trait(self, canaries: World) -> None:
        told = body(knock(program(), "profiles:api_profile", canaries))
        assert "CanaryOccupation" in told
        assert "CanaryFaith" not in told
        assert "CanaryIllness" not in told

    def test_of_another_department_find_nobody(self, manee: Profile, care: Department) -> None:
        asking = program(department=care)
        assert asking.get(f"/api/v1/profiles/{manee.public_id}").status_code == 404
        assert asking.look_up("email", "manee@baansabai.co.th").status_code == 404
        assert asking.look_up("user", "u7").status_code == 404
        assert not AccessLogEntry.objects.exists()

    def test_follow_a_grant_with_the_next_request(
        self, manee: Profile, care: Department, web_shop: Source, admin: User
    ) -> None:
        asking = program(department=care)
        access_matrix.change(kind="sources", container_id=web_shop.pk, department_id=care.pk, sees=True, by=admin)
        assert asking.get(f"/api/v1/profiles/{manee.public_id}").status_code == 200


class TestWhatIsWrittenDown:
    def test_who_looked_at_a_customer(self, somchai: Profile) -> None:
        asking = program()
        asking.get(f"/api/v1/profiles/{somchai.public_id}")
        asking.look_up("user", "u1")
        entries = list(AccessLogEntry.objects.values_list("actor", "profile", "what"))
        assert entries == [(f"key:{asking.row.pk}", somchai.public_id, "profile.api")] * 2

    def test_compliance_reads_the_programs_name(
        self, somchai: Profile, login: Callable[[User], Client], compliance: User
    ) -> None:
        program().get(f"/api/v1/profiles/{somchai.public_id}")
        page = login(compliance).get(reverse("consent:access_log", args=[somchai.public_id])).content.decode()
        assert "Website" in page
        audit = login(compliance).get(reverse("consent:audit")).content.decode()
        assert "Website" in audit

    def test_nothing_personal(self, somchai: Profile) -> None:
        program().look_up("phone", "086-345-1972")
        program().look_up("email", "nobody@example.com")
        written = str(list(AuditEvent.objects.values())) + str(list(AccessLogEntry.objects.values()))
        assert "1972" not in written
        assert "nobody@" not in written


class TestRate:
    def test_what_is_above_it_comes_again_later(self, somchai: Profile) -> None:
        asking = program(rate_per_second=1)
        path = f"/api/v1/profiles/{somchai.public_id}"
        answers = [asking.get(path) for _time in range(12)]
        assert [answer.status_code for answer in answers[:3]] == [200] * 3  # what it may do at once
        refused = next(answer for answer in answers if answer.status_code != 200)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit")
        assert int(refused["Retry-After"]) >= 1
        assert program(rate_per_second=1).get(path).status_code == 200, "another key is not held back"

    def test_is_held_over_all_processes(self, somchai: Profile) -> None:
        """Another process has used the rate up: this one learns of it with its next charge."""
        asking = program(rate_per_second=1)
        path = f"/api/v1/profiles/{somchai.public_id}"
        for _process in range(6):
            limiter.forget()
            asking.get(path)
        assert asking.get(path).status_code == 429

    def test_goes_with_its_key(self, somchai: Profile) -> None:
        asking = program(rate_per_second=1)
        asking.get(f"/api/v1/profiles/{somchai.public_id}")
        MachineKey.objects.all().delete()
