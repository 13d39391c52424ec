"""Pages of webhooks: who may see and change them, secrets that are shown once or never, the audit."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core import hashing
from cdp_site.core.models import AuditEvent, User
from ingestion import mappings
from ingestion.models import Source, Webhook
from ingestion.webhooks import endpoints
from tests.factories.webhooks import SECRET, Sender, sender

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]

MAPPING = {
    "version": 2,
    "rows": "people",
    "fields": [{"from": "id", "to": "record_id"}, {"from": "mail", "to": "trait", "name": "email"}],
}


@pytest.fixture
def shop(web_shop: Source) -> Sender:
    return sender(web_shop, "shopify", purpose="marketing")


def address(name: str, *arguments: Any) -> str:
    return reverse(f"ingestion:{name}", args=arguments)


def page(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def test_the_way_from_the_source_to_a_new_shopify_webhook(login: Login, steward: User, web_shop: Source) -> None:
    browser = login(steward)
    assert address("webhooks", web_shop.pk) in page(browser.get(address("source", web_shop.pk)))
    assert "No webhook yet" in page(browser.get(address("webhooks", web_shop.pk)))
    new = address("new_webhook", web_shop.pk, "shopify")
    assert "Settings → Notifications" in page(browser.get(new))

    answer = browser.post(new, {"purpose": "marketing", "secret": SECRET}, follow=True)
    webhook = Webhook.objects.get()
    assert answer.redirect_chain[-1][0] == address("webhook", web_shop.pk, webhook.pk)
    assert f"http://testserver/webhooks/{webhook.token}" in page(answer)
    assert "orders/fulfilled" in page(answer)
    assert SECRET not in page(answer)
    assert hashing.unseal(bytes(webhook.secret)) == SECRET.encode()
    assert webhook.settings == {"purpose": "marketing"}
    event = AuditEvent.objects.get(action="webhook.make")
    assert (event.target_id, SECRET in str(event.fields)) == (str(webhook.pk), False)
    assert "Shopify" in page(browser.get(address("webhooks", web_shop.pk)))


def test_a_secret_of_ours_is_shown_once(login: Login, steward: User, call_centre: Source) -> None:
    mappings.save(name="tickets", definition=MAPPING, source=call_centre, by="system:test")
    browser = login(steward)
    given = {"mapping": "tickets", "header": "X-Signature", "algorithm": "sha256", "encoding": "hex"}
    answer = browser.post(address("new_webhook", call_centre.pk, "generic"), given)
    webhook = Webhook.objects.get()
    secret = hashing.unseal(bytes(webhook.secret)).decode()
    assert answer.status_code == 200
    assert secret in page(answer)
    assert secret not in page(browser.get(address("webhook", call_centre.pk, webhook.pk)))
    again = browser.post(address("rotate_webhook", call_centre.pk, webhook.pk), {"secret": ""})
    webhook.refresh_from_db()
    other = hashing.unseal(bytes(webhook.secret)).decode()
    assert other != secret
    assert other in page(again)
    assert AuditEvent.objects.filter(action="webhook.rotate").count() == 1


@pytest.mark.parametrize(
    ("kind", "given", "problem"),
    [
        ("shopify", {"purpose": "marketing", "secret": ""}, "This field is required."),
        ("shopify", {"purpose": "marketing", "secret": "brief7!"}, "The secret has 8 to 500 characters"),
        ("shopify", {"purpose": "nonsense", "secret": SECRET}, "Select a valid choice"),
        ("line", {"relay_url": "http://bot.example.com/", "secret": SECRET}, "begin with https://"),
        ("line", {"relay_url": "https://169.254.169.254/", "secret": SECRET}, "internal network"),
        ("line", {"relay_url": "bot", "secret": SECRET}, "no complete web address"),
        ("generic", {"mapping": "unknown"}, "Select a valid choice"),
        ("generic", {"mapping": "tickets", "header": "X Signature"}, "no name of an HTTP header"),
        ("generic", {"mapping": "tickets", "list_path": "a..b"}, "no path in JSON"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    login: Login, steward: User, web_shop: Source, kind: str, given: dict[str, str], problem: str
) -> None:
    mappings.save(name="tickets", definition=MAPPING, source=web_shop, by="system:test")
    whole = {"header": "X-Signature", "algorithm": "sha256", "encoding": "hex"} | given
    answer = login(steward).post(address("new_webhook", web_shop.pk, kind), whole)
    assert answer.status_code == 422
    assert problem in page(answer)
    assert given.get("secret") in (None, "") or given["secret"] not in page(answer)
    assert not Webhook.objects.exists()


def test_settings_change_and_are_audited_by_name(login: Login, steward: User, call_centre: Source) -> None:
    line = sender(call_centre, "line")
    there = address("webhook", call_centre.pk, line.webhook.pk)
    browser = login(steward)
    assert browser.post(there, {"relay_url": "https://bot.example.com/line?shop=1"}).status_code == 302
    line.webhook.refresh_from_db()
    assert line.webhook.settings == {"keep_text": False, "relay_url": "https://bot.example.com/line?shop=1"}
    assert AuditEvent.objects.get(action="webhook.change").fields == ["keep_text", "relay_url"]
    assert browser.post(there, {"relay_url": "https://bot.example.com/line?shop=1"}).status_code == 302
    assert AuditEvent.objects.filter(action="webhook.change").count() == 1, "nothing has changed"
    assert browser.post(there, {"relay_url": "ftp://bot"}).status_code == 422


def test_a_mapping_can_be_changed(login: Login, steward: User, call_centre: Source) -> None:
    for name in ("tickets", "surveys"):
        mappings.save(name=name, definition=MAPPING, source=call_centre, by="system:test")
    desk = sender(call_centre, "generic", mapping="tickets", tolerance_seconds=60)
    given = {
        "mapping": "surveys",
        "header": "X-Sig",
        "algorithm": "sha1",
        "encoding": "hex",
        "signature_prefix": "sha1=",
    }
    there = address("webhook", call_centre.pk, desk.webhook.pk)
    assert login(steward).post(there, given).status_code == 302
    desk.webhook.refresh_from_db()
    changed = desk.webhook.settings
    assert (changed["mapping"], changed["algorithm"], changed["signature_prefix"]) == ("surveys", "sha1", "sha1=")
    assert changed["tolerance_seconds"] == 60


def test_off_and_on_again(login: Login, steward: User, shop: Sender) -> None:
    browser = login(steward)
    turn = address("switch_webhook", shop.webhook.source_id, shop.webhook.pk)
    assert "is off" in page(browser.post(turn, {"turn": "off"}, follow=True))
    assert not Webhook.objects.get().is_active
    assert "is on" in page(browser.post(turn, {"turn": "on"}, follow=True))
    assert Webhook.objects.get().is_active
    actions = AuditEvent.objects.filter(target_type="ingestion.Webhook").order_by("pk")
    assert [event.action for event in actions] == ["webhook.make", "webhook.switch_off", "webhook.switch_on"]


def test_a_chatbot_that_is_not_reached_shows(login: Login, steward: User, call_centre: Source) -> None:
    line = sender(call_centre, "line", relay_url="https://bot.example.com/")
    Webhook.objects.update(relay_problem="status-500")
    assert "Chatbot not reached" in page(login(steward).get(address("webhooks", call_centre.pk)))
    there = page(login(steward).get(address("webhook", call_centre.pk, line.webhook.pk)))
    assert "It answered with status 500." in there
    Webhook.objects.update(relay_problem="timeout")
    there = page(login(steward).get(address("webhook", call_centre.pk, line.webhook.pk)))
    assert "No complete answer came in time." in there


@pytest.mark.parametrize("who", ["outsider", "agent", "marketer", "analyst", "compliance"])
def test_who_may_not_manage_sources_finds_nothing(
    login: Login, request: pytest.FixtureRequest, who: str, shop: Sender
) -> None:
    browser = login(request.getfixturevalue(who))
    pk, source_id = shop.webhook.pk, shop.webhook.source_id
    for there in (
        address("webhooks", source_id), address("new_webhook", source_id, "line"), address("webhook", source_id, pk),
    ):  # fmt: skip
        assert browser.get(there).status_code == 404
    for name in ("rotate_webhook", "switch_webhook"):
        assert browser.post(address(name, source_id, pk), {"turn": "off", "secret": SECRET}).status_code == 404
    assert Webhook.objects.get().is_active
    assert shop.webhook.token not in page(browser.get(address("source", source_id)))


def test_webhooks_of_other_sources_are_not_found(login: Login, steward: User, shop: Sender, pos: Source) -> None:
    assert login(steward).get(address("webhook", pos.pk, shop.webhook.pk)).status_code == 404
    assert login(steward).get(address("new_webhook", pos.pk, "fax")).status_code == 404
    internal = Source.objects.get(kind=Source.Kind.INTERNAL)
    assert login(steward).get(address("webhooks", internal.pk)).status_code == 404


def test_tokens_cannot_be_guessed(web_shop: Source) -> None:
    tokens = {sender(web_shop, "shopify").webhook.token for _ in range(5)}
    assert len(tokens) == 5
    assert all(re.fullmatch(r"[\w-]{43}", token) for token in tokens)
    assert endpoints.of_source(web_shop).count() == 5
