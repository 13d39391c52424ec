"""The relay: LINE's reports go on to the company's chatbot, unchanged, at once, and never at our expense."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import jobs, outgoing
from ingestion.models import InboundBatch, RelayDelivery, Source, Webhook
from ingestion.webhooks import endpoints, relay
from tests.factories import reports
from tests.factories.webhooks import Sender, sender

pytestmark = pytest.mark.django_db(transaction=True)

CHATBOT = "https://bot.example.com/line"


@pytest.fixture
def line(call_centre: Source) -> Sender:
    return sender(call_centre, "line", relay_url=CHATBOT)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Jobs that would run in the job cluster."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(jobs, "async_task", lambda function, *ids: found.append((function, *ids)))
    return found


class Chatbot:
    """What is posted to it, and what it answers: a status, or a problem on the way."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.answer: int | outgoing.OutgoingProblem = 200

    def post(self, url: str, **request: Any) -> outgoing.Answer:
        self.posts.append({"url": url, **request})
        if isinstance(self.answer, outgoing.OutgoingProblem):
            raise self.answer
        return outgoing.Answer(self.answer, b"")


@pytest.fixture
def chatbot(monkeypatch: pytest.MonkeyPatch) -> Chatbot:
    made = Chatbot()
    monkeypatch.setattr(outgoing, "post", made.post)
    return made


def later(delta: timedelta) -> None:
    """As if the time had passed for what waits."""
    RelayDelivery.objects.update(
        created_at=timezone.now() - delta,
        next_at=timezone.now() - timedelta(seconds=1),
    )


def test_the_raw_report_goes_on_with_lines_signature(line: Sender, queued: list[Any], chatbot: Chatbot) -> None:
    body = reports.line_report(reports.FOLLOW, reports.MESSAGE)
    assert line.send(body).status_code == 200
    [(function, delivery_id)] = queued
    assert function == relay.JOB
    assert chatbot.posts == [], "our own answer waits for nobody"
    relay.deliver(delivery_id)
    [post] = chatbot.posts
    assert (post["url"], post["body"]) == (CHATBOT, body)
    assert post["headers"]["X-Line-Signature"] == line.headers(body)["X-Line-Signature"]
    assert not RelayDelivery.objects.exists()
    webhook = Webhook.objects.get()
    assert (webhook.relay_problem, webhook.relayed_at is not None) == ("", True)
    relay.deliver(delivery_id)
    assert len(chatbot.posts) == 1, "a job that runs twice delivers once"


def test_what_waits_is_sealed(line: Sender, queued: list[Any]) -> None:
    line.events(reports.MESSAGE)
    assert "โซฟา".encode() not in bytes(RelayDelivery.objects.get().body)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(500, "status-500"), (404, "status-404"), (outgoing.Unreachable(outgoing.Fault.TIMEOUT), "timeout")],
)
def test_a_chatbot_that_is_down_is_tried_again_and_then_given_up(
    line: Sender, queued: list[Any], chatbot: Chatbot, answer: Any, problem: str
) -> None:
    chatbot.answer = answer
    line.events(reports.MESSAGE)
    delivery_id = queued[0][1]
    relay.deliver(delivery_id)
    assert RelayDelivery.objects.get().attempts == 1
    webhook = Webhook.objects.get()
    assert (webhook.relay_problem, webhook.relay_failed_at) == (problem, None)
    relay.deliver(delivery_id)
    assert len(chatbot.posts) == 1, "not before its time"

    later(relay.TRY_EVERY)
    queued.clear()
    relay.deliver_due()
    assert queued == [(relay.JOB, delivery_id)]
    relay.deliver(delivery_id)
    assert len(chatbot.posts) == 2

    later(relay.GIVE_UP_AFTER)
    relay.deliver(delivery_id)
    assert not RelayDelivery.objects.exists()
    assert Webhook.objects.get().relay_failed_at is not None
    assert InboundBatch.objects.count() == 1, "what was landed is not touched by any of it"


def test_a_chatbot_that_comes_back_clears_the_problem(line: Sender, queued: list[Any], chatbot: Chatbot) -> None:
    chatbot.answer = 503
    line.events(reports.MESSAGE)
    relay.deliver(queued[0][1])
    chatbot.answer = 200
    later(relay.TRY_EVERY)
    relay.deliver(queued[0][1])
    assert Webhook.objects.get().relay_problem == ""


def test_an_address_that_turned_inward_is_given_up_at_once(line: Sender, queued: list[Any], chatbot: Chatbot) -> None:
    chatbot.answer = outgoing.RefusedAddress(outgoing.Fault.NOT_PUBLIC)
    line.events(reports.MESSAGE)
    relay.deliver(queued[0][1])
    assert not RelayDelivery.objects.exists()
    assert Webhook.objects.get().relay_problem == "not_public"


@pytest.mark.parametrize("change", ["off", "no relay"])
def test_what_is_switched_off_is_not_passed_on(line: Sender, queued: list[Any], chatbot: Chatbot, change: str) -> None:
    line.events(reports.MESSAGE)
    if change == "off":
        endpoints.switch(webhook=line.webhook, is_active=False, by="system:test")
    else:
        endpoints.change(webhook=line.webhook, settings={"keep_text": True}, by="system:test")
    relay.deliver(queued[0][1])
    assert chatbot.posts == []
    assert not RelayDelivery.objects.exists()


def test_a_forged_report_and_a_verification_are_not_passed_on(line: Sender, queued: list[Any]) -> None:
    assert Sender(line.webhook, "forged-secret").events(reports.FOLLOW).status_code == 401
    assert line.events().status_code == 200
    assert not RelayDelivery.objects.exists()
    assert queued == []


def test_without_an_address_nothing_is_passed_on(call_centre: Source, queued: list[Any]) -> None:
    assert sender(call_centre, "line").events(reports.FOLLOW).status_code == 200
    assert not RelayDelivery.objects.exists()


@pytest.fixture
def real_chatbot() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A chatbot on this machine: its address, and what it got."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.headers["X-Line-Signature"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/line", got
    server.shutdown()
    server.server_close()


def test_a_real_chatbot_gets_what_line_sent(
    call_centre: Source,
    queued: list[Any],
    real_chatbot: tuple[str, list[tuple[str, bytes]]],
    settings: Settings,
) -> None:
    settings.OUTGOING_ALLOW_HTTP = settings.OUTGOING_ALLOW_PRIVATE = True
    url, got = real_chatbot
    line = sender(call_centre, "line", relay_url=url)
    body = reports.line_report(reports.MESSAGE)
    assert line.send(body).status_code == 200
    relay.deliver(queued[0][1])
    assert got == [(line.headers(body)["X-Line-Signature"], body)]
