"""Which site passkeys belong to, and whose answers are taken."""

import json
from typing import Any

import pytest
from django.test import RequestFactory
from fido2.utils import websafe_encode
from pytest_django import Settings

from cdp_site.core.login import passkeys


def said(**client_data: Any) -> dict[str, Any]:
    return {"response": {"clientDataJSON": websafe_encode(json.dumps(client_data).encode())}}


@pytest.fixture
def request_here(settings: Settings) -> Any:
    settings.ALLOWED_HOSTS = ["cdp.example.com", "10.0.0.7", "localhost"]
    settings.PUBLIC_URL = ""
    return lambda host="cdp.example.com", **more: RequestFactory().get("/", headers={"host": host}, **more)


class TestBehindAProxy:
    def test_the_public_address_is_the_site_whatever_the_headers_say(
        self, request_here: Any, settings: Settings
    ) -> None:
        settings.PUBLIC_URL = "https://cdp.example.com/"
        request = request_here(host="10.0.0.7")
        assert (passkeys.site(request), passkeys.origin(request)) == ("cdp.example.com", "https://cdp.example.com")
        assert passkeys.is_from_here(request, said(origin="https://cdp.example.com"))
        assert not passkeys.is_from_here(request, said(origin="https://10.0.0.7"))

    def test_a_port_of_the_public_address_belongs_to_it(self, request_here: Any, settings: Settings) -> None:
        settings.PUBLIC_URL = "https://cdp.example.com:8443"
        assert passkeys.is_from_here(request_here(), said(origin="https://cdp.example.com:8443"))
        assert not passkeys.is_from_here(request_here(), said(origin="https://cdp.example.com"))

    def test_without_one_it_is_the_host_of_the_request(self, request_here: Any, settings: Settings) -> None:
        assert passkeys.origin(request_here(secure=True)) == "https://cdp.example.com"
        settings.HTTPS = True
        assert passkeys.origin(request_here()) == "https://cdp.example.com"

    def test_a_host_that_is_not_ours_is_refused_before(self, request_here: Any) -> None:
        with pytest.raises(Exception, match="Invalid HTTP_HOST"):
            passkeys.origin(request_here(host="evil.example"))


class TestAnswers:
    @pytest.mark.parametrize(
        "data",
        [
            {"origin": "https://evil.example"},
            {"origin": "https://shop.cdp.example.com"},
            {"origin": "https://cdp.example.com.evil.example"},
            {"origin": "http://cdp.example.com"},
            {"origin": "https://cdp.example.com", "crossOrigin": True},
            {"origin": None},
            {},
        ],
        ids=str,
    )
    def test_of_other_pages_are_not_taken(self, request_here: Any, data: dict[str, Any]) -> None:
        assert not passkeys.is_from_here(request_here(secure=True), said(**data))

    @pytest.mark.parametrize("credential", [None, [], "", {}, {"response": None}, {"response": {"clientDataJSON": 1}}])
    def test_that_are_none_are_not_taken(self, request_here: Any, credential: Any) -> None:
        assert not passkeys.is_from_here(request_here(secure=True), credential)

    def test_of_our_own_pages_are(self, request_here: Any) -> None:
        assert passkeys.is_from_here(request_here(secure=True), said(origin="https://cdp.example.com"))


@pytest.mark.parametrize(
    ("host", "secure", "possible"),
    [
        ("cdp.example.com", True, True),
        ("cdp.example.com", False, False),
        ("localhost", False, True),
        ("localhost:8000", False, True),
        ("10.0.0.7", True, False),
    ],
)
def test_browsers_make_keys_for_names_over_tls(request_here: Any, host: str, secure: bool, possible: bool) -> None:
    assert passkeys.are_possible(request_here(host=host, secure=secure)) is possible
