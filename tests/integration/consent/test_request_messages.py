"""Messages and the company's gateway: what is called, what happens when it answers 500 for days, and the test."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from cdp_site.core import outgoing
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent, User
from consent.models import DataSubjectRequest, MessageGateway, OutgoingMessage
from consent.requests import gateways, messages
from consent.requests.messages import Content
from profiles.models import Profile
from tests.factories.consent import ask

pytestmark = pytest.mark.django_db
TEMPLATE = '{"to": "{to}", "messages": [{"type": "text", "text": "{text}"}], "n": 1}'


class Gateway:
    """Stands for the company's: keeps what it was sent, and answers what it is told to."""

    def __init__(self) -> None:
        self.status = 200
        self.calls: list[dict[str, Any]] = []

    def post(self, url: str, *, body: bytes, headers: dict[str, str], timeout_seconds: float) -> outgoing.Answer:
        self.calls.append({"url": url, "body": json.loads(body), "headers": headers})
        return outgoing.Answer(self.status, b"")


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    stand_in = Gateway()
    monkeypatch.setattr(outgoing, "post", stand_in.post)
    return stand_in


@pytest.fixture
def sms(admin: User) -> MessageGateway:
    return gateways.save(
        channel="sms",
        url="https://sms.example.com/send",
        template=TEMPLATE,
        header="Authorization",
        secret="Bearer abc",
        is_active=True,
        by=admin,
    )


@pytest.fixture
def asked(person: Profile, compliance: User) -> DataSubjectRequest:
    return ask(person, compliance)


def test_the_body_is_the_companys_template_and_the_key_is_sealed(
    gateway: Gateway, sms: MessageGateway, asked: DataSubjectRequest
) -> None:
    text = 'รหัส "1234" {to} \\n'
    message = messages.post(request=asked, channel="sms", what="news", content=Content("+66812345678", "s", text))
    messages.deliver(message.pk)
    messages.deliver(message.pk)
    [call] = gateway.calls
    assert call["body"] == {"to": "+66812345678", "messages": [{"type": "text", "text": text}], "n": 1}
    assert call["headers"]["Authorization"] == "Bearer abc"
    assert call["headers"]["Idempotency-Key"] == str(message.pk)
    assert b"abc" not in bytes(sms.secret or b"")
    message.refresh_from_db()
    assert (message.status, message.content, message.identifier) == ("sent", None, None)


def test_a_gateway_that_answers_500_for_days_is_asked_with_growing_pauses_then_it_is_a_persons_task(
    gateway: Gateway, sms: MessageGateway, asked: DataSubjectRequest, compliance: User, client: Client
) -> None:
    gateway.status = 500
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        message = messages.post(request=asked, channel="sms", what="news", content=Content("+66812345678", "s", "t"))
    moments = []
    for _try in range(200):
        message.refresh_from_db()
        if message.status != "waiting":
            break
        moments.append(message.due_at - start)
        with time_machine.travel(message.due_at, tick=False):
            messages.deliver(message.pk)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses[:4] == [timedelta(minutes=n) for n in (1, 2, 4, 8)]
    assert max(pauses) == timedelta(hours=12)
    assert timedelta(days=29) < moments[-1] <= timedelta(days=30)
    assert (message.status, message.problem, message.content) == ("failed", "http_500", None)
    assert len(gateway.calls) == message.attempts == len(moments) < 80
    client.force_login(compliance)
    client.cookies["django_language"] = "en"
    page = client.get("/requests/").content.decode()
    assert "Could not be delivered" in page
    assert "status 500" in page
    assert client.post(f"/requests/messages/{message.pk}/done/").status_code == 302
    assert "Could not be delivered" not in client.get("/requests/").content.decode()
    with pytest.raises(ConflictProblem):
        messages.settle(message_id=message.pk, by=compliance)


def test_a_code_is_not_sent_after_its_time(gateway: Gateway, sms: MessageGateway, asked: DataSubjectRequest) -> None:
    gateway.status = 503
    start = timezone.now()
    message = messages.post(
        request=asked,
        channel="sms",
        what="code",
        content=Content("+66812345678", "s", "t"),
        give_up_at=start + timedelta(minutes=30),
    )
    for minutes in range(60):
        with time_machine.travel(start + timedelta(minutes=minutes, seconds=5), tick=False):
            messages.deliver(message.pk)
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("failed", 5)
    assert messages.tasks() == [], "a code that expired waits for nobody"


def test_an_address_that_is_never_called_is_given_up_at_once(
    monkeypatch: pytest.MonkeyPatch, sms: MessageGateway, asked: DataSubjectRequest
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise outgoing.RefusedAddress(outgoing.Fault.NOT_PUBLIC)

    monkeypatch.setattr(outgoing, "post", refuse)
    message = messages.post(request=asked, channel="sms", what="news", content=Content("+66812345678", "s", "t"))
    messages.deliver(message.pk)
    message.refresh_from_db()
    assert (message.status, message.problem, message.attempts) == ("failed", "not_public", 1)


def test_without_a_gateway_it_waits_for_one(asked: DataSubjectRequest) -> None:
    message = messages.post(request=asked, channel="line", what="news", content=Content("U1", "s", "t"))
    messages.deliver(message.pk)
    message.refresh_from_db()
    assert (message.status, message.problem) == ("waiting", "no_gateway")
    assert message.content is not None


def test_mail_goes_by_the_mail_server(asked: DataSubjectRequest) -> None:
    message = messages.post(request=asked, channel="email", what="news", content=Content("a@b.co", "Hello", "Text"))
    messages.deliver(message.pk)
    assert (mail.outbox[0].to, mail.outbox[0].body) == (["a@b.co"], "Text")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "http://sms.example.com/"}, None),
        ({"url": "https://169.254.169.254/latest"}, None),
        ({"url": "https://127.0.0.1/"}, None),
        ({"template": "no json"}, "template"),
        ({"template": '{"to": "{to}"}'}, "template"),
        ({"template": '["{to}", "{text}"]'}, "template"),
        ({"header": "Host"}, "header"),
        ({"header": "X-Key: x\r\nY"}, "header"),
        ({"secret": "a\r\nb"}, "secret"),
    ],
)
def test_what_cannot_be_a_gateway_is_not_saved(admin: User, wrong: dict[str, str], field: str | None) -> None:
    given = {"url": "https://sms.example.com/", "template": TEMPLATE, "header": "", "secret": ""} | wrong
    with pytest.raises(MendableError) as problem:
        gateways.save(channel="sms", is_active=True, by=admin, **given)
    assert field is None or problem.value.field == field
    assert not MessageGateway.objects.exists()


def test_a_key_does_not_follow_to_another_address(sms: MessageGateway, admin: User) -> None:
    given = {"channel": "sms", "template": TEMPLATE, "header": "Authorization", "is_active": True, "by": admin}
    with pytest.raises(MendableError) as problem:
        gateways.save(url="https://evil.example.com/", secret="", **given)
    assert problem.value.field == "secret"
    same = gateways.save(url=sms.url, secret="", **given)
    assert bytes(same.secret or b"") == bytes(sms.secret or b"")


@pytest.mark.parametrize(("status", "said"), [(200, "The gateway took the test."), (500, "status 500")])
def test_send_a_test_says_what_became_of_it(
    gateway: Gateway, sms: MessageGateway, client: Client, admin: User, status: int, said: str
) -> None:
    gateway.status = status
    client.force_login(admin)
    client.cookies["django_language"] = "en"
    assert "sms.example.com" in client.get("/requests/gateways/").content.decode()
    page = client.post("/requests/gateways/sms/test/", {"to": "+66800000000"}, follow=True).content.decode()
    assert said in page
    assert "Bearer" not in page
    test = OutgoingMessage.objects.get()
    assert (test.what, test.attempts, test.content) == ("test", 1, None)
    assert AuditEvent.objects.filter(action="gateway.test").exists()


def test_a_gateway_is_set_up_on_its_screen(client: Client, admin: User) -> None:
    client.force_login(admin)
    data = {"channel": "line", "url": "https://line.example.com/push", "template": TEMPLATE, "is_active": "on"}
    assert client.post("/requests/gateways/", data | {"url": "https://10.0.0.1/"}).status_code == 422
    assert client.post("/requests/gateways/", data).status_code == 302
    assert MessageGateway.objects.get().channel == "line"
