"""Somebody has a dump of the database, and no key: what stands there lets nobody in and says no secret."""

import base64
import subprocess
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import MachineKey, Role, User
from cdp_site.core.personal_data import own_models
from cdp_site.operations.backup import postgres
from ingestion import keys
from ingestion.health import recipients
from ingestion.models import Source, WriteKey
from ingestion.webhooks import endpoints, linking
from profiles.calling import lines
from tests.factories.programs import program

PASSWORD = "a-long-passphrase-of-nok"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CODES = "RECOVERYSEED4711"


@dataclass(frozen=True)
class Stolen:
    dump: str
    secrets: dict[str, str]


@pytest.fixture
def stolen(make_user: Callable[..., User], web_shop: Source, call_centre: Source) -> Stolen:
    """A dump of a platform in use, and the secrets of its users, which are not for the thief."""
    nok = make_user(Role.AGENT, call_centre.department, name="nok")
    nok.set_password(PASSWORD)
    nok.save()
    browser = Client()
    assert browser.post(reverse("login"), {"username": "nok", "password": PASSWORD}).status_code == 302
    sealed = get_adapter().encrypt
    Authenticator.objects.create(user=nok, type=Authenticator.Type.TOTP, data={"secret": sealed(TOTP)})
    Authenticator.objects.create(
        user=nok, type=Authenticator.Type.RECOVERY_CODES, data={"seed": sealed(CODES), "used_mask": 0}
    )
    found = {
        "session": browser.cookies["sessionid"].value,
        "device": browser.cookies["device"].value,
        "password": PASSWORD,
        "code app": TOTP,
        "recovery codes": CODES,
        "link to a new password": default_token_generator.make_token(nok),
        "write key": keys.make(source=web_shop, by="system:test")[1],
        "public key": keys.make(source=web_shop, by="system:test", is_public=True)[1],
        "key of a program": program().text,
        "webhook": endpoints.make(
            source=web_shop, kind="shopify", settings={}, secret="shpss_the_secret_of_the_shop", by="system:test"
        )[1],
        "alerts": recipients.add(
            channel="webhook", address="https://alerts.example.com/", department=None, language="en", by="system:test"
        ).secret,
        "nonce": linking.make(source_id=web_shop.pk, user_id="u1"),
        "call": lines.announce(source_id=call_centre.pk, number="0891234871")[1],
    }
    return Stolen(dumped(), found)


def dumped() -> str:
    name = connection.settings_dict["NAME"]
    with postgres._running("pg_dump", "--format=plain", database=name, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        return process.stdout.read().decode()


@pytest.mark.django_db(transaction=True)
def test_a_dump_says_no_secret_and_opens_nothing(stolen: Stolen) -> None:
    for name, secret in stolen.secrets.items():
        assert len(secret) > 10
        raw = secret.encode()
        for form in (
            secret,
            raw.hex(),
            b64encode(raw).decode().rstrip("="),
            base64.b32encode(raw).decode().rstrip("="),
        ):
            assert form not in stolen.dump, name
    # It is a dump: what is no secret stands there.
    assert "nok" in stolen.dump
    assert "https://alerts.example.com/" in stolen.dump

    row = Session.objects.get()
    thief = Client()
    for guess in (row.session_key, row.session_data):
        thief.cookies["sessionid"] = guess
        assert thief.get(reverse("account")).status_code == 302
    for key in MachineKey.objects.all():
        for guess in (key.prefix, bytes(key.secret_hash).hex()):
            answer = Client().get(reverse("segments:api_segments"), headers={"Authorization": f"Bearer {guess}"})
            assert answer.status_code == 401
    for key in WriteKey.objects.all():
        for guess in (key.prefix, bytes(key.secret_hash).hex()):
            basic = b64encode(f"{guess}:".encode()).decode()
            body = {"userId": "u1", "event": "E"}
            headers = {"Authorization": f"Basic {basic}"}
            assert Client().post("/v1/track", body, "application/json", headers=headers).status_code == 401
    # The secrets themselves are good, to their owners.
    owner = Client()
    owner.cookies["sessionid"] = stolen.secrets["session"]
    assert owner.get(reverse("account")).status_code == 200


# Fields with such a name that hold text as it is, and why that is no secret. Adding one here is a decision.
NO_SECRET = {
    "ingestion.Webhook.token",  # in the address: only a signature lets anything in
    "profiles.NameToken.token",  # a word of a name
    "profiles.RecordName.token",
}
SECRET_WORDS = ("secret", "token", "password", "passphrase", "otp", "code_hash")


def test_every_field_that_sounds_like_a_secret_holds_a_hash_or_what_is_sealed() -> None:
    """Both are bytes. A password is hashed by Django."""
    found = {
        f"{model._meta.label}.{field.name}"
        for model in own_models()
        for field in model._meta.concrete_fields
        if any(word in field.name for word in SECRET_WORDS) and not isinstance(field, models.BinaryField)
    }
    assert found - NO_SECRET == {"core.User.password"}
