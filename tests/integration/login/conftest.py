"""People with a password, and browsers that log in as people do: by the pages."""

import hashlib
import hmac
import struct
import time
from base64 import b32decode
from collections.abc import Callable

import pytest
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from cdp_site.core.models import User

PASSWORD = "a-good-one-2569"
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _passwords_cost_little(settings: Settings) -> None:
    """A hash takes a third of a second by design."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def nok(agent: User) -> User:
    """An agent with a password and a mail address."""
    agent.set_password(PASSWORD)
    agent.email, agent.language = "nok@baansabai.co.th", "en"
    agent.save()
    return agent


@pytest.fixture
def try_password() -> Callable[..., HttpResponse]:
    def send(
        client: Client, name: str, password: str = PASSWORD, *, address: str = "203.0.113.7", **more: str
    ) -> HttpResponse:
        form = {"username": name, "password": password, **more}
        return client.post(reverse("login"), form, REMOTE_ADDR=address)

    return send


@pytest.fixture
def with_code_app(nok: User) -> User:
    """nok, whose phone makes one-time codes."""
    with context.request_context(HttpRequest()):
        TOTP.activate(nok, SECRET)
    return nok


def code(secret: str = SECRET, *, steps: int = 0) -> str:
    """What the app shows now (RFC 6238), or some steps of thirty seconds later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.digest(b32decode(secret), counter, hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def factors_of(user: User) -> set[str]:
    return set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
