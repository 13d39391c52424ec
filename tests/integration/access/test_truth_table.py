"""Role × route × field: every address of the product against every role, and every hidden field in every answer."""

from collections.abc import Callable
from functools import cache

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import ROLE_PERMISSIONS
from cdp_site.core.models import Department, User
from ingestion.models import Source
from tests.customers import Tell, open_for_call
from tests.integration.access import truth_table, world
from tests.integration.access.truth_table import ADMIN, EVERYBODY, FIELDS, PUBLIC, ROLES, TABLE
from tests.integration.access.world import CANARIES, World
from tests.routes import Route, routes

Login = Callable[[User], Client]
CUSTOMER = "Wichai"


@cache
def _rows() -> dict[str, str]:
    return {name: roles for roles, names in TABLE.items() for name in names.split()}


def roles_of(route: Route) -> str:
    """The row that it stands in."""
    return ADMIN if route.name.startswith("admin:") else _rows().get(route.name, EVERYBODY)


ROUTES = routes()
GUARDED = [route for route in ROUTES if route.guard != PUBLIC and not route.name.startswith("admin:")]


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    named = {route.name for route in ROUTES if not route.name.startswith("admin:")}
    assert named - _rows().keys() == set(), "add them to truth_table.TABLE"
    assert _rows().keys() - named == set(), "they are gone: take them out of truth_table.TABLE"
    assert sum(len(names.split()) for names in TABLE.values()) == len(_rows()), "a route stands in two rows"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name or route.path)
def test_the_guard_of_a_route_is_its_row(route: Route) -> None:
    if roles_of(route) in (PUBLIC, EVERYBODY):
        assert route.guard == (PUBLIC if roles_of(route) == PUBLIC else ())
    else:
        allowed = {letter for letter, role in ROLES.items() if ROLE_PERMISSIONS[role].issuperset(route.guard)}
        assert allowed == set(roles_of(route))


def test_every_canary_has_a_row() -> None:
    assert CANARIES.keys() == FIELDS.keys()
    assert ROLES.keys() >= frozenset().union(*FIELDS.values())


@pytest.fixture
def canaries(
    tell: Tell, web_shop: Source, pos: Source, call_centre: Source, marketer: User, agent: User, care: Department
) -> World:
    return world.build(
        tell, web_shop=web_shop, pos=pos, call_centre=call_centre, marketer=marketer, agent=agent, care=care
    )


def body(answer: HttpResponse) -> str:
    told = b"".join(answer) if answer.streaming else answer.content
    headers = " ".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{headers}\n{told.decode('utf-8', 'replace')}"


def hidden_from(letter: str) -> dict[str, tuple[str, ...]]:
    return {field: texts for field, texts in CANARIES.items() if letter not in FIELDS[field]}


# What the browser sends to addresses that only take a form: no canary among it.
FORM = {
    "q": CUSTOMER,
    "number": "0819998877",
    "reason": "nothing",
    "text": "",
    "purpose": "marketing",
    "channel": "email",
    "role": "nobody",
}
# They change what the others are asked about afterwards.
LAST = frozenset({"profiles:merge", "segments:delete", "profiles:unmerge", "account_elsewhere", "logout"})


@pytest.mark.parametrize("letter", ROLES)
def test_each_role_opens_its_routes_and_reads_its_fields_alone(
    letter: str,
    canaries: World,
    login: Login,
    request: pytest.FixtureRequest,
) -> None:
    """Each address is asked for as page, as fragment and by POST. Whoever may not open it gets 404 and nothing else."""
    browser = login(request.getfixturevalue(ROLES[letter]))
    hidden = hidden_from(letter)
    problems = []
    for route in sorted(GUARDED, key=lambda route: (route.name in LAST, route.name)):
        path = reverse(route.name, kwargs=canaries.arguments(route.parameters))
        is_allowed = roles_of(route) == EVERYBODY or letter in roles_of(route)
        answers = {"page": browser.get(path), "form": browser.post(path, FORM)}
        if is_allowed:
            answers["fragment"] = browser.get(path, headers={"HX-Request": "true"})
        for how, answer in answers.items():
            told = body(answer)
            if answer.status_code >= 500 or (not is_allowed and answer.status_code != 404):
                problems.append(f"{route.name} as {how}: {answer.status_code}")
            problems += [
                f"{route.name} as {how}: {field}"
                for field, texts in hidden.items()
                if any(text in told for text in texts)
            ]
    assert problems == []


@pytest.mark.parametrize("letter", "AMSC")
def test_what_a_role_reads_is_there(letter: str, canaries: World, login: Login, request: pytest.FixtureRequest) -> None:
    """The other side of the table: a test of absence alone is passed by an empty page."""
    browser = login(request.getfixturevalue(ROLES[letter]))
    parts = ("customer", "timeline", "records", "notes")
    told = "".join(body(browser.get(reverse(f"profiles:{part}", args=[canaries.customer.public_id]))) for part in parts)
    for field, letters in FIELDS.items():
        if letter in letters and field != "birth_date":
            assert any(text in told for text in CANARIES[field]), field


def test_an_open_customer_shows_direct_identifiers_and_no_more(canaries: World, login: Login, agent: User) -> None:
    open_for_call(canaries.customer, to=agent)
    browser = login(agent)
    parts = ("customer", "timeline", "records", "notes")
    told = "".join(body(browser.get(reverse(f"profiles:{part}", args=[canaries.customer.public_id]))) for part in parts)
    for field in ("phone", "email", "address", "line_id", "member_id", "phone in a note", "email in a touchpoint"):
        assert any(text in told for text in CANARIES[field]), field
    absent = [field for field in hidden_from("A") if FIELDS[field] != frozenset({"S", "C"})]
    assert not [field for field in absent if any(text in told for text in CANARIES[field])]


class TestSearchByWhatIsHidden:
    """What nobody may read, nobody finds by: not in the list, not in the suggestions, not in the palette."""

    @pytest.mark.parametrize(
        ("letter", "term"),
        [
            ("A", "CANARY-ORDER"),
            ("A", "W1"),
            ("A", "CanaryOccupation"),
            ("A", "CanaryPet"),
            ("M", "C1"),
            ("M", "CanaryComplaint"),
            ("S", "CanaryFaith"),
            ("C", "CanaryIllness"),
        ],
    )
    def test_finds_nobody(
        self, letter: str, term: str, canaries: World, login: Login, request: pytest.FixtureRequest
    ) -> None:
        browser = login(request.getfixturevalue(ROLES[letter]))
        for name in ("profiles:search", "profiles:suggest", "palette"):
            answer = browser.post(reverse(name), {"q": term})
            assert CUSTOMER not in body(answer)
            assert str(canaries.customer.public_id) not in body(answer)


def test_the_programming_interface_masks_and_hides_as_pages_do(canaries: World, login: Login, agent: User) -> None:
    address = reverse("profiles:api_profile", args=[canaries.customer.public_id])
    customer = login(agent).get(address).json()
    assert customer["traits"]["phone"] == ["•••• 4871"]
    assert customer["traits"]["birth_date"] == ["••••"]
    assert not {"religion", "chronic_illness", "pet", "occupation"} & customer["traits"].keys()


def test_the_table_is_of_all_roles() -> None:
    assert set(truth_table.ROLES.values()) == set(ROLE_PERMISSIONS)
