"""Alerts: opened once, closed once, told to those who should hear, acknowledged, and never with a customer's data."""

import json
from collections.abc import Callable
from datetime import timedelta
from email.header import decode_header, make_header

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import Settings

from cdp_site.core import hashing, outgoing
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, Department, User
from ingestion import landing
from ingestion.health import alert_text, alerts, delivery, recipients, rhythm, rollup, rules, standing, watch
from ingestion.landing import Tally
from ingestion.models import (
    Alert,
    AlertDelivery,
    AlertKind,
    AlertRecipient,
    FileImport,
    FutureHour,
    InboundBatch,
    Source,
)

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def receive(source: Source, *, ago: timedelta, n: int = 1, quarantined: int = 0, waiting: bool = False) -> InboundBatch:
    at = timezone.now() - ago
    batch = landing.land(source=source, messages_raw=[{}] * n, door="api", received_at=at)
    if not waiting:
        landing.settle(batch.pk, Tally(stored=n - quarantined, quarantined=quarantined))
    return batch


def open_kinds(source: Source) -> list[str]:
    return list(Alert.objects.of_source(source).open().order_by("kind").values_list("kind", flat=True))


class TestOpening:
    def test_a_source_that_is_well_has_none(self, web_shop: Source) -> None:
        receive(web_shop, ago=MINUTE)
        assert watch.check() == watch.Outcome(0, 0)
        assert standing.of_source(web_shop) is standing.HEALTHY

    def test_messages_that_wait_too_long(self, web_shop: Source, pos: Source) -> None:
        receive(web_shop, ago=11 * MINUTE, waiting=True)
        receive(pos, ago=9 * MINUTE, waiting=True)
        assert watch.check().opened == 1
        alert = Alert.objects.get()
        assert (alert.source, alert.kind) == (web_shop, AlertKind.BACKLOG)
        assert alert.value == pytest.approx(11, abs=0.1)
        with translation.override("en"):
            assert alert_text.describe(alert).endswith("for 11 min 0 s (limit: 10 min 0 s).")
        assert standing.of_source(web_shop).key == "backlog"

    def test_an_import_may_wait_longer(self, pos: Source) -> None:
        batch = receive(pos, ago=100 * MINUTE, waiting=True)
        InboundBatch.objects.filter(pk=batch.pk).update(lane=InboundBatch.Lane.BULK)
        assert watch.check().opened == 0
        InboundBatch.objects.filter(pk=batch.pk).update(received_at=timezone.now() - 121 * MINUTE)
        assert watch.check().opened == 1

    def test_many_messages_that_cannot_be_used(self, web_shop: Source, pos: Source, call_centre: Source) -> None:
        receive(web_shop, ago=MINUTE, n=400, quarantined=20)
        receive(pos, ago=MINUTE, n=20, quarantined=19)  # a handful is no spike
        receive(call_centre, ago=2 * HOUR, n=100, quarantined=100)  # over
        watch.check()
        assert [open_kinds(source) for source in (web_shop, pos, call_centre)] == [["quarantine"], [], []]

    def test_an_import_that_failed_until_one_succeeds(self, pos: Source) -> None:
        made = {"source": pos, "file_name": "a.csv", "size": 1, "sha256": b"x", "format": "csv", "encoding": "utf-8"}
        FileImport.objects.create(**made, status="failed", finished_at=timezone.now() - HOUR)
        watch.check()
        assert open_kinds(pos) == ["import"]
        FileImport.objects.create(**made, status="landed", finished_at=timezone.now())
        with time_machine.travel(timezone.now() + MINUTE, tick=False):
            watch.check()
        with time_machine.travel(timezone.now() + 12 * MINUTE, tick=False):
            assert watch.check().closed == 1

    @pytest.mark.parametrize("ahead", [40, -40])
    def test_a_clock_that_is_wrong(self, web_shop: Source, ahead: int) -> None:
        for n in range(5):
            batch = receive(web_shop, ago=n * MINUTE)
            InboundBatch.objects.filter(pk=batch.pk).update(sent_at=batch.received_at + timedelta(minutes=ahead))
        watch.check()
        assert open_kinds(web_shop) == ["clock"]
        assert Alert.objects.get().value == pytest.approx(40, abs=0.1)

    def test_many_messages_of_the_future(self, web_shop: Source, pos: Source) -> None:
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        FutureHour.objects.create(source=web_shop, hour=hour, n=20, furthest=timedelta(days=543 * 365))
        FutureHour.objects.create(source=pos, hour=hour, n=19, furthest=timedelta(days=2))
        watch.check()
        assert (open_kinds(web_shop), open_kinds(pos)) == (["clock"], [])

    def test_what_is_not_watched_opens_none(self, web_shop: Source, steward: User) -> None:
        receive(web_shop, ago=HOUR, waiting=True)
        assert rules.change(source=web_shop, values={"backlog": False}, by=steward) == {"backlog"}
        assert watch.check().opened == 0
        rules.change(source=web_shop, values={"backlog": True, "backlog_minutes": 90}, by=steward)
        assert watch.check().opened == 0
        rules.change(source=web_shop, values={"backlog_minutes": 30}, by=steward)
        assert watch.check().opened == 1
        Source.objects.filter(pk=web_shop.pk).update(is_active=False)
        watch.check()
        assert open_kinds(web_shop) == []


class TestSilence:
    def test_by_its_own_rhythm(self, web_shop: Source, pos: Source) -> None:
        """A shop that sends by day is silent each night; one that sends each hour is not."""
        for day in range(1, 15):
            for hour in range(0, 12, 3):
                receive(web_shop, ago=timedelta(days=day, hours=hour) - 6 * HOUR)
        for hour in range(7, 14 * 24):
            receive(pos, ago=hour * HOUR)
        watch.check()
        assert (open_kinds(web_shop), open_kinds(pos)) == ([], ["silent"])
        with time_machine.travel(timezone.now() + 20 * HOUR, tick=False):
            watch.check()
        assert open_kinds(web_shop) == ["silent"]

    def test_the_rhythm_is_known_of_what_is_rolled_up(self, pos: Source) -> None:
        for hour in range(7, 14 * 24):
            receive(pos, ago=hour * HOUR)
        rollup.roll_up(pos, before=timezone.now())
        watch.check()
        assert open_kinds(pos) == ["silent"]

    def test_a_source_that_has_no_rhythm_yet_is_not_called_silent(self, web_shop: Source) -> None:
        receive(web_shop, ago=30 * HOUR)
        receive(web_shop, ago=31 * HOUR)
        watch.check()
        assert open_kinds(web_shop) == []

    def test_hours_that_somebody_set_win(self, web_shop: Source, steward: User) -> None:
        receive(web_shop, ago=5 * HOUR)
        rules.change(source=web_shop, values={"silence_hours": 6}, by=steward)
        watch.check()
        assert open_kinds(web_shop) == []
        rules.change(source=web_shop, values={"silence_hours": 4}, by=steward)
        watch.check()
        assert open_kinds(web_shop) == ["silent"]

    def test_one_outage_does_not_make_the_next_one_usual(self) -> None:
        start = timezone.now().replace(minute=0, second=0, microsecond=0)
        hours = [start + n * HOUR for n in range(72)] + [start + n * HOUR for n in range(120, 140)]
        assert rhythm.longest_pause(hours) == timedelta(hours=2.25)


class TestCalm:
    def test_closes_after_it_was_good_for_a_while_and_once(self, web_shop: Source) -> None:
        batch = receive(web_shop, ago=11 * MINUTE, waiting=True)
        watch.check()
        landing.settle(batch.pk, Tally(stored=1))
        seen = []
        for minutes in (1, 5, 10, 11, 12, 20):
            with time_machine.travel(timezone.now() + minutes * MINUTE, tick=False):
                seen.append((watch.check(), open_kinds(web_shop)))
        assert [outcome.closed for outcome, _kinds in seen] == [0, 0, 0, 1, 0, 0]
        assert Alert.objects.count() == 1

    def test_what_swings_around_the_limit_makes_one_alert(self, web_shop: Source) -> None:
        alerts_made = set()
        for minutes in range(30):
            batch = receive(web_shop, ago=(11 if minutes % 2 else 9) * MINUTE, waiting=True)
            with time_machine.travel(timezone.now() + minutes * MINUTE, tick=False):
                InboundBatch.objects.filter(pk=batch.pk).update(
                    received_at=timezone.now() - (11 if minutes % 2 else 9) * MINUTE
                )
                watch.check()
            landing.settle(batch.pk, Tally(stored=1))
            alerts_made.update(Alert.objects.values_list("pk", "closed_at"))
        assert len(alerts_made) == 1

    def test_a_second_watch_does_nothing_while_one_runs(
        self, web_shop: Source, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        receive(web_shop, ago=HOUR, waiting=True)
        watch.check()
        watch.check()
        assert Alert.objects.count() == 1


@pytest.fixture
def tell(admin: User, marketing: Department, care: Department) -> Callable[..., AlertRecipient]:
    def add(channel: str, address: str, department: Department | None = None, language: str = "en") -> AlertRecipient:
        return recipients.add(
            channel=channel, address=address, department=department, language=language, by=admin
        ).recipient

    return add


def opened(source: Source) -> Alert:
    alert = Alert.objects.create(
        source=source, kind=AlertKind.SILENT, opened_at=timezone.now(), value=7.5, threshold=2.25
    )
    delivery.announce(alert, AlertDelivery.Event.OPENED)
    return alert


def deliver_all() -> None:
    for pk in AlertDelivery.objects.due().order_by("pk").values_list("pk", flat=True):
        delivery.deliver(pk)


@pytest.mark.django_db(transaction=True)
class TestTelling:
    def test_those_hear_whose_sources_they_are(
        self,
        web_shop: Source,
        pos: Source,
        marketing: Department,
        care: Department,
        tell: Callable[..., AlertRecipient],
    ) -> None:
        everyone = tell("email", "all@example.com")
        ours, others = tell("email", "us@example.com", marketing), tell("email", "them@example.com", care)
        opened(web_shop)
        opened(pos)
        told = AlertDelivery.objects.order_by("pk").values_list("alert__source__slug", "recipient")
        assert set(told) == {
            ("web", everyone.pk),
            ("web", ours.pk),
            ("pos", everyone.pk),
            ("pos", ours.pk),
            ("pos", others.pk),
        }

    def test_in_the_recipients_language(
        self, web_shop: Source, tell: Callable[..., AlertRecipient], settings: Settings
    ) -> None:
        settings.PUBLIC_URL = "https://cdp.example.com/"
        tell("email", "en@example.com", language="en")
        tell("email", "th@example.com", language="th")
        opened(web_shop)
        deliver_all()
        english, thai = mail.outbox
        assert english.subject == "[Baan Sabai] Web shop: silent"
        assert "Nothing has come for 7 h 30 min. It is never silent for longer than 2 h 15 min." in english.body
        assert f"https://cdp.example.com/sources/{web_shop.pk}/" in english.body
        assert "ไม่มีข้อมูลเข้ามา" in thai.body
        assert str(make_header(decode_header(str(thai.message()["Subject"])))).startswith("[Baan Sabai] Web shop: ")

    def test_once_also_when_the_job_runs_twice(self, web_shop: Source, tell: Callable[..., AlertRecipient]) -> None:
        tell("email", "a@example.com")
        alert = opened(web_shop)
        pk = AlertDelivery.objects.get().pk
        delivery.deliver(pk)
        delivery.deliver(pk)
        assert len(mail.outbox) == 1
        delivery.announce(alert, AlertDelivery.Event.CLOSED)
        deliver_all()
        assert [message.subject for message in mail.outbox] == [
            "[Baan Sabai] Web shop: silent",
            "[Baan Sabai] Web shop: silent, over",
        ]

    def test_a_webhook_is_signed_and_says_nothing_of_customers(
        self, web_shop: Source, admin: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        posted = []

        def post(url: str, *, body: bytes, headers: dict[str, str], timeout_seconds: float) -> outgoing.Answer:
            posted.append((url, body, headers))
            return outgoing.Answer(204, b"")

        monkeypatch.setattr(outgoing, "post", post)
        added = recipients.add(
            channel="webhook", address="https://hooks.example.com/x", department=None, language="en", by=admin
        )
        assert hashing.unseal(bytes(added.recipient.secret)).decode() == added.secret
        alert = opened(web_shop)
        deliver_all()
        ((url, body, headers),) = posted
        stamp, signed = (part.split("=")[1] for part in headers["CDP-Signature"].split(","))
        assert url == "https://hooks.example.com/x"
        assert signed == delivery.signature(added.secret.encode(), stamp, body)
        said = json.loads(body)
        assert (said["event"], said["alert"]["source"], said["alert"]["unit"]) == ("alert.opened", "web", "hours")
        assert said["alert"]["id"] == alert.pk
        assert set(said["texts"]) == {"th", "en"}

    def test_is_tried_again_with_growing_pauses_and_given_up(
        self, web_shop: Source, tell: Callable[..., AlertRecipient], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_arguments: object, **_named: object) -> outgoing.Answer:
            raise outgoing.Unreachable(outgoing.Fault.TIMEOUT)

        monkeypatch.setattr(outgoing, "post", fail)
        tell("webhook", "https://hooks.example.com/x")
        opened(web_shop)
        pauses = []
        for _attempt in range(delivery.MOST_ATTEMPTS):
            deliver_all()
            row = AlertDelivery.objects.get()
            pauses.append(round((row.due_at - timezone.now()).total_seconds() / 60))
            AlertDelivery.objects.update(due_at=timezone.now() - MINUTE)
        assert pauses == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120]
        row.refresh_from_db()
        assert (row.status, row.problem, row.attempts) == ("failed", "timeout", 10)
        assert delivery.send_due() == 0

    def test_an_address_that_is_never_called_is_given_up_at_once(
        self, web_shop: Source, tell: Callable[..., AlertRecipient], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recipient = tell("webhook", "https://hooks.example.com/x")
        AlertRecipient.objects.filter(pk=recipient.pk).update(address="https://127.0.0.1/x")
        opened(web_shop)
        deliver_all()
        assert AlertDelivery.objects.get().status == "failed"
        with pytest.raises(outgoing.RefusedAddress):
            tell("webhook", "https://127.0.0.1/x")

    def test_the_chore_puts_into_the_queue_what_is_due(
        self, web_shop: Source, tell: Callable[..., AlertRecipient], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queued: list[tuple[object, ...]] = []
        monkeypatch.setattr("cdp_site.core.jobs.async_task", lambda *job: queued.append(job))
        tell("email", "a@example.com")
        opened(web_shop)
        row = AlertDelivery.objects.get()
        assert queued == [(delivery.JOB, row.pk)]
        assert delivery.send_due() == 1
        AlertDelivery.objects.update(due_at=timezone.now() + MINUTE)
        assert delivery.send_due() == 0

    def test_a_test_says_what_became_of_it(
        self, login: Login, admin: User, tell: Callable[..., AlertRecipient], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recipient = tell("email", "a@example.com")
        client = login(admin)
        path = reverse("ingestion:test_alert_recipient", args=[recipient.pk])
        assert (
            "The test was sent."
            in client.post(path, headers={"HX-Request": "true", "Accept-Language": "en"}).content.decode()
            or mail.outbox
        )
        assert len(mail.outbox) == 1

        def refuse(*_arguments: object) -> int:
            raise ConnectionRefusedError

        monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
        answer = client.post(path)
        assert answer.context["test"].status == "failed"
        assert answer.context["problem"]
        assert AlertDelivery.objects.filter(status="failed", problem="mail", attempts=1).count() == 1


class TestScreens:
    @pytest.fixture(autouse=True)
    def in_english(self, settings: Settings) -> None:
        settings.LANGUAGE_CODE = "en"

    def test_a_person_takes_care_and_the_badge_goes(self, web_shop: Source, login: Login, steward: User) -> None:
        alert = opened(web_shop)
        client = login(steward)
        assert "1 open alert" in client.get(reverse("ingestion:alert_count")).content.decode()
        page = client.get(reverse("ingestion:source", args=[web_shop.pk])).content.decode()
        assert "Nothing has come for 7 h 30 min" in page
        assert "I take care of it" in client.get(reverse("ingestion:alerts_on_home")).content.decode()
        client.post(reverse("ingestion:acknowledge_alert", args=[alert.pk]))
        assert client.get(reverse("ingestion:alert_count")).content.decode().strip() == ""
        assert f"{steward.username} takes care of it" in client.get(reverse("ingestion:alerts")).content.decode()
        assert AuditEvent.objects.get(action="alert.acknowledge").actor == f"user:{steward.pk}"
        assert not alerts.acknowledge(alert=alert, by=steward)

    def test_each_department_sees_its_own(
        self, web_shop: Source, call_centre: Source, login: Login, marketer: User
    ) -> None:
        opened(web_shop)
        hidden = opened(call_centre)
        client = login(marketer)
        page = client.get(reverse("ingestion:alerts")).content.decode()
        assert "Web shop" in page
        assert "Call centre" not in page
        assert "I take care of it" not in page
        assert client.post(reverse("ingestion:acknowledge_alert", args=[hidden.pk])).status_code == 404

    def test_outsiders_find_nothing(self, web_shop: Source, login: Login, outsider: User, marketer: User) -> None:
        alert = opened(web_shop)
        paths = [
            reverse("ingestion:alerts_on_home"),
            reverse("ingestion:alert_count"),
            reverse("ingestion:alert_recipients"),
            reverse("ingestion:source_watch", args=[web_shop.pk]),
            reverse("ingestion:source_retention", args=[web_shop.pk]),
            reverse("ingestion:retention"),
        ]
        for user in (outsider, marketer):
            client = login(user)
            assert [client.get(path).status_code for path in paths] == [404] * len(paths)
            assert client.post(reverse("ingestion:acknowledge_alert", args=[alert.pk])).status_code == 404
        assert login(outsider).get(reverse("ingestion:alerts")).status_code == 404
        assert login(outsider).get(reverse("ingestion:source_rates", args=[web_shop.pk])).status_code == 404

    def test_recipients_are_added_and_removed(self, login: Login, admin: User, marketing: Department) -> None:
        client, path = login(admin), reverse("ingestion:alert_recipients")
        form = {"channel": "email", "address": "ops@example.com", "department": marketing.pk, "language": "th"}
        assert client.post(path, form).status_code == 302
        assert client.post(path, form).status_code == 422
        assert client.post(path, form | {"address": "no address"}).status_code == 422
        assert client.post(path, form | {"channel": "webhook", "address": "https://10.0.0.1/"}).status_code == 422
        answer = client.post(path, form | {"channel": "webhook", "address": "https://hooks.example.com/"})
        assert recipients.SECRET_PREFIX in answer.content.decode()
        assert recipients.SECRET_PREFIX not in client.get(path).content.decode()
        recipient = AlertRecipient.objects.get(channel="email")
        client.post(reverse("ingestion:remove_alert_recipient", args=[recipient.pk]))
        assert list(AlertRecipient.objects.values_list("channel", flat=True)) == ["webhook"]
        assert AuditEvent.objects.filter(action__startswith="alert_recipient.").count() == 3

    def test_the_same_address_twice_is_refused(self, admin: User) -> None:
        told = {"channel": "email", "address": "a@example.com", "department": None, "language": "en"}
        recipients.add(**told, by=admin)
        with pytest.raises(ConflictProblem):
            recipients.add(**told, by=admin)

    def test_what_is_watched_is_set_on_a_page(self, web_shop: Source, login: Login, steward: User) -> None:
        path = reverse("ingestion:source_watch", args=[web_shop.pk])
        client = login(steward)
        form = {
            "silence": "on",
            "silence_hours": "",
            "quarantine_percent": "7",
            "backlog": "on",
            "backlog_minutes": "5",
        }
        assert client.post(path, form | {"backlog_minutes": "0", "clock_minutes": "30"}).status_code == 422
        assert client.post(path, form | {"clock_minutes": "30"}).status_code == 302
        rule = rules.of_source(web_shop)
        assert (rule.quarantine, rule.quarantine_percent, rule.backlog_minutes, rule.imports) == (False, 7, 5, False)
        assert "backlog_minutes" in AuditEvent.objects.get(action="watch_rule.change").fields
        assert "What is watched" in client.get(reverse("ingestion:source", args=[web_shop.pk])).content.decode()
