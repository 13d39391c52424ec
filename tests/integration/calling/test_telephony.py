"""What a telephone system sends, by the OpenAPI document alone, and what it gets."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from django.test import Client
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion import keys
from ingestion.models import Source
from profiles import calling
from profiles.models import Call, Profile
from tests.integration.calling.conftest import PHONE

pytestmark = pytest.mark.django_db


class TelephoneSystem:
    """A client that knows the host, its key and the OpenAPI document, and nothing else."""

    def __init__(self, client: Client, key: str) -> None:
        self._client, self._key = client, key
        self._document: dict[str, Any] = client.get("/api/schema").json()
        [(self._path, self.operation)] = [
            (path, methods["post"])
            for path, methods in self._document["paths"].items()
            if methods.get("post", {}).get("tags") == ["Telephony"]
        ]

    def announce(self, **said: Any) -> Any:
        assert self.operation["security"] == [{"writeKey": []}]
        basic = b64encode(f"{self._key}:".encode()).decode()
        answer = self._client.post(
            self._path, said, content_type="application/json", headers={"Authorization": f"Basic {basic}"}
        )
        described = self.operation["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        jsonschema.validate(answer.json(), {**described, "components": self._document["components"]})
        return answer


@pytest.fixture
def telephone(client: Client, call_centre: Source) -> TelephoneSystem:
    return TelephoneSystem(client, keys.make(source=call_centre, by="system:test")[1])


def test_a_client_of_the_document_brings_the_caller_onto_the_screen(
    telephone: TelephoneSystem, login: Callable[[User], Client], agent: User, pim: Profile
) -> None:
    answer = telephone.announce(number="sip:0813945678@pbx.baansabai.co.th", agent=agent.username)
    assert answer.status_code == 201
    told = answer.json()
    assert told["number_is_readable"] is True
    assert told["expires_in"] == 120
    assert "3945678" not in answer.content.decode()
    assert login(agent).get(urlsplit(told["url"]).path).status_code == 302
    call = calling.current(agent)
    assert call is not None
    assert call.profile == pim


def test_the_answer_does_not_tell_whether_anybody_has_the_number(telephone: TelephoneSystem, pim: Profile) -> None:
    known, unknown = telephone.announce(number=PHONE).json(), telephone.announce(number="0874561231").json()
    assert {name for name in known if known[name] != unknown[name]} == {"url", "token"}


def test_a_withheld_number_is_a_call_as_well(telephone: TelephoneSystem) -> None:
    for number in ("", "anonymous", "312"):
        assert telephone.announce(number=number).json()["number_is_readable"] is False
    assert Call.objects.count() == 3


@pytest.mark.parametrize(
    ("said", "field"), [({}, "number"), ({"number": "0" * 500}, "number"), ({"number": PHONE, "agent": "x"}, "agent")]
)
def test_what_cannot_be_used_is_said(telephone: TelephoneSystem, said: dict[str, str], field: str) -> None:
    answer = telephone.announce(**said)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
    assert not Call.objects.exists()


def test_the_key_is_a_secret_one_of_a_call_centre(client: Client, call_centre: Source, web_shop: Source) -> None:
    public = keys.make(source=call_centre, by="system:test", is_public=True)[1]
    shops = keys.make(source=web_shop, by="system:test")[1]
    for key, status in ((public, 401), ("sec_wrong", 401), ("", 401), (shops, 403)):
        assert TelephoneSystem(client, key).announce(number=PHONE).status_code == status
    assert not Call.objects.exists()


def test_a_public_address_of_the_platform_stands_in_the_answer(telephone: TelephoneSystem, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://cdp.baansabai.co.th/"
    assert telephone.announce(number=PHONE).json()["url"].startswith("https://cdp.baansabai.co.th/pop/")


def test_the_page_of_a_call_centres_source_says_how(
    login: Callable[[User], Client], steward: User, call_centre: Source, web_shop: Source
) -> None:
    desk = login(steward)
    assert "/api/v1/calls" in desk.get(f"/sources/{call_centre.pk}/").content.decode()
    assert "/api/v1/calls" not in desk.get(f"/sources/{web_shop.pk}/").content.decode()
