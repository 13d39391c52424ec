"""Another department's objects, by their ids: for the same role elsewhere they answer as ids that nobody has.

Who may open an address by the role is in `truth_table`; here each address that takes an id is asked for an object of a
department that the reader is not of. An address with an id that is in no table below fails the test.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import ROLE_PERMISSIONS, Permission
from cdp_site.core.models import Department, User
from consent.models import Purpose
from ingestion.models import Source
from profiles.models import Touchpoint, TraitGroup
from segments import authoring, shelving
from segments.builder import keeping
from segments.models import ComputedTrait, Script, Segment, SegmentDraft, StaticList
from tests.factories.exports import ask
from tests.factories.held import hold
from tests.integration.access.test_truth_table import GUARDED, roles_of
from tests.integration.access.truth_table import EVERYBODY, ROLES
from tests.integration.access.world import _plausible
from tests.routes import Route

Login = Callable[[User], Client]
pytestmark = pytest.mark.django_db

# Parameters that lead to what a department or a person owns.
OWNED = frozenset(
    {"segment_id", "export_id", "list_id", "trait_id", "draft_id", "script_id", "folder_id", "source_id", "item_id"}
    | {"factor_id", "touchpoint_id"}
)
# Routes with an id of something that is nobody's own, and what holds them instead. Adding one here is a decision.
SHARED = {
    "customers, whose fields each department sees by itself": """
        profiles:occasion profiles:customer profiles:timeline profiles:year profiles:records profiles:notes
        profiles:add_note profiles:keep_draft profiles:attributes profiles:add_trait profiles:presence profiles:look
        profiles:cases profiles:open_case profiles:pin profiles:unpin profiles:explanation profiles:household
        profiles:question profiles:opening profiles:reveal profiles:api_explanation profiles:api_profile consent:panel
        consent:chips segments:of_profile segments:explain_all segments:computed_of_profile segments:script_of_profile
        profiles:edit_trait profiles:foresee_edit consent:cell consent:answer consent:preference_link
    """,
    "cases, which are handed from department to department": """
        profiles:case profiles:note_case profiles:take_case profiles:hand_over_case profiles:close_case
        profiles:reopen_case
    """,
    "what an agent has just done at a customer, taken back by its own tests of who may": """
        profiles:undo_edit profiles:answer profiles:unanswer
    """,
    "the catalogue's words, which are the company's": "profiles:edit_word profiles:remove_word",
    "a panel of one's own page": "profiles:fold_panel profiles:move_panel",
    "a call, known by a token that its telephone system was given": "profiles:pop",
}


def is_scoped(route: Route) -> bool:
    """Whether some role opens it that does not see every department."""
    letters = ROLES if roles_of(route) == EVERYBODY else roles_of(route)
    return any(Permission.SEE_ALL_DEPARTMENTS not in ROLE_PERMISSIONS[ROLES[letter]] for letter in letters)


WITH_ID = [route for route in GUARDED if route.parameters and is_scoped(route)]
ASKED = [route for route in WITH_ID if route.parameters & OWNED]


def test_every_address_with_an_id_is_asked_or_said_to_be_shared() -> None:
    shared = {name for names in SHARED.values() for name in names.split()}
    named = {route.name for route in WITH_ID}
    assert named - {route.name for route in ASKED} - shared == set(), "say in SHARED what holds them"
    assert shared - named == set(), "they are gone: take them out of SHARED"
    assert len(ASKED) > 30


@pytest.fixture
def foreign(web_shop: Source, marketer: User) -> dict[str, Any]:
    """Marketing's, all of it."""
    known = {"kind": "attribute", "trait": "first_name", "operator": "known", "value": None}
    segment = authoring.create(
        name="Guests",
        description="",
        department=marketer.department,
        definition={"version": 1, "where": {"kind": "all", "of": [known]}},
        by=marketer,
    )
    trait = ComputedTrait.objects.create(
        slug="last_viewed",
        name="Last viewed",
        group=_group_of(marketer.department),
        definition={"version": 2, "calculation": "count", "per_channel": False, "where": {"kind": "any", "of": []}},
        data_type="number",
    )
    factor = Authenticator.objects.create(user=marketer, type=Authenticator.Type.TOTP, data={"secret": "sealed"})
    return {
        "segment_id": segment.pk,
        "export_id": ask(segment, Purpose.objects.get(slug="marketing"), "email", marketer).pk,
        "list_id": StaticList.objects.create(name="Guests", department=marketer.department, created_by=marketer).pk,
        "trait_id": trait.pk,
        "draft_id": keeping.begin(segment=segment, definition=segment.definition, said={}, by=marketer).pk,
        "script_id": Script.objects.create(segment=segment, text="Say this", rank=1).pk,
        "folder_id": shelving.create_folder(name="Campaigns", by=marketer).pk,
        "source_id": web_shop.pk,
        "item_id": hold(web_shop, "{")[0].pk,
        "factor_id": factor.pk,
        "touchpoint_id": UUID(int=9),
    }


def _group_of(department: Department | None) -> Any:
    return TraitGroup.objects.create(slug="pets", name="Pets", kind_of_data="descriptive", department=department)


@pytest.fixture
def elsewhere(make_user: Callable[..., User], care: Department) -> dict[str, User]:
    """Somebody of each scoped role, of another department."""
    return {
        letter: make_user(role, care, name=f"{role}_elsewhere")
        for letter, role in ROLES.items()
        if Permission.SEE_ALL_DEPARTMENTS not in ROLE_PERMISSIONS[role]
    }


def counted() -> list[int]:
    return [
        model._default_manager.count()
        for model in (Segment, StaticList, ComputedTrait, SegmentDraft, Script, Authenticator, Touchpoint)
    ]


@pytest.mark.parametrize("letter", "AMN")
def test_what_is_anothers_answers_as_what_is_nowhere(
    letter: str, foreign: dict[str, Any], elsewhere: dict[str, User], login: Login
) -> None:
    browser = login(elsewhere[letter])
    before = counted()
    problems = []
    for route in ASKED:
        if roles_of(route) != EVERYBODY and letter not in roles_of(route):
            continue
        theirs = {name: foreign.get(name, _plausible(name)) for name in route.parameters}
        nowhere = {name: _nowhere(value) if name in OWNED else value for name, value in theirs.items()}
        paths = [reverse(route.name, kwargs=one) for one in (theirs, nowhere)]
        for method in (browser.get, browser.post):
            answers = [method(path) for path in paths]
            statuses = [answer.status_code for answer in answers]
            if statuses not in ([404, 404], [405, 405]):
                problems.append(f"{route.name} {method.__name__}: {statuses}")
            elif len({told(answer, path) for answer, path in zip(answers, paths, strict=True)}) > 1:
                problems.append(f"{route.name} {method.__name__}: two kinds of {statuses[0]}")
    assert problems == []
    assert counted() == before


def told(answer: HttpResponse, path: str) -> str:
    """What the answer says, without the address that was asked for and what is drawn for each request."""
    return re.sub(r"[A-Za-z0-9]{64}", "", answer.content.decode()).replace(path, "")


def _nowhere(value: Any) -> Any:
    return UUID(int=value.int ^ 1) if isinstance(value, UUID) else 10**6 + int(value)


def test_the_owner_opens_them(foreign: dict[str, Any], marketer: User, login: Login) -> None:
    """The other side: the addresses are not shut for everybody."""
    browser = login(marketer)
    for name, parameter in (
        ("segments:segment", "segment_id"),
        ("segments:exported", "export_id"),
        ("segments:list", "list_id"),
        ("segments:open_draft", "draft_id"),
        ("ingestion:source", "source_id"),
        ("ingestion:look_into", "item_id"),
    ):
        assert browser.get(reverse(name, kwargs={parameter: foreign[parameter]})).status_code in (200, 302, 405), name
