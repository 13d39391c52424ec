"""A forgotten password: a link by mail, good once and for an hour, that tells nobody who has an account."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core.login import mails
from cdp_site.core.models import AuditEvent, User
from tests import visible_text
from tests.integration.login.conftest import PASSWORD, is_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
NEW = "quite-another-2570"
Ask = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def _address(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://cdp.baansabai.co.th/"


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks for a link; its job runs at once."""
    monkeypatch.setattr(
        "cdp_site.core.jobs.enqueue", lambda job, user_id, *more: job == mails.LINK_JOB and mails.send_link(user_id)
    )

    def send(name: str, *, address: str = "203.0.113.7") -> HttpResponse:
        return Client().post(reverse("forgotten"), {"username": name}, REMOTE_ADDR=address)

    return send


def link_in(message: EmailMessage) -> str:
    found = re.search(r"https://cdp\.baansabai\.co\.th(/login/new-password/\S+)", str(message.body))
    assert found is not None
    return found[1]


def choose(link: str, password: str = NEW) -> HttpResponse:
    """As a browser: the link, then the form to which it leads."""
    client = Client()
    page = client.get(link, follow=True)
    if not page.context.get("validlink"):
        return page
    return client.post(page.redirect_chain[-1][0], {"new_password1": password, "new_password2": password})


def test_the_link_leads_to_a_new_password_once(nok: User, ask: Ask, try_password: Callable[..., HttpResponse]) -> None:
    elsewhere = Client()
    try_password(elsewhere, nok.username)
    assert is_in(elsewhere)
    assert ask(nok.username).status_code == 200
    (sent,) = mail.outbox
    assert sent.to == [nok.email]
    link = link_in(sent)
    assert choose(link)["Location"] == "/login/"
    nok.refresh_from_db()
    assert nok.check_password(NEW)
    assert not is_in(elsewhere), "whoever is logged in with the old password is out"
    assert "used already" in choose(link).content.decode()
    told = AuditEvent.objects.filter(target_id=str(nok.pk)).values_list("action", flat=True)
    assert {"login.forgotten", "user.change"} <= set(told)


def test_the_token_leaves_the_address_before_anything_else_is_loaded(nok: User, ask: Ask) -> None:
    ask(nok.username)
    answer = Client().get(link_in(mail.outbox[0]))
    assert answer.status_code == 302
    assert answer["Location"].endswith("/set-password/")


def test_it_is_good_for_an_hour(nok: User, ask: Ask) -> None:
    ask(nok.username)
    link = link_in(mail.outbox[0])
    with time_machine.travel(timezone.localtime() + timedelta(minutes=61), tick=False):
        assert "its time is over" in choose(link).content.decode()
    assert nok.check_password(PASSWORD)


def test_a_weak_password_is_refused_with_the_reason(nok: User, ask: Ask) -> None:
    ask(nok.username)
    assert "too short" in choose(link_in(mail.outbox[0]), "short").content.decode()


@pytest.mark.parametrize("who", ["nobody", "without address", "inactive", "by company"])
def test_the_answer_is_the_same_and_nothing_is_mailed(nok: User, ask: Ask, who: str) -> None:
    there = visible_text.read(ask(nok.username).content.decode()).texts
    mail.outbox.clear()
    if who == "without address":
        nok.email = ""
    if who == "inactive":
        nok.is_active = False
    if who == "by company":
        nok.set_unusable_password()
    nok.save()
    answer = ask("nobody" if who == "nobody" else nok.username)
    assert visible_text.read(answer.content.decode()).texts == there
    assert mail.outbox == []


def test_nobodys_mailbox_is_filled(nok: User, ask: Ask) -> None:
    """Also from many addresses; and a name that nobody has is limited alike."""
    for name in (nok.username, "nobody"):
        statuses = [ask(name, address=f"203.0.113.{number}").status_code for number in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
    assert len(mail.outbox) == 3


def test_one_address_asks_for_a_few_names_only(nok: User, ask: Ask) -> None:
    assert [ask(f"name-{number}").status_code for number in range(22)].count(429) == 2


def test_the_job_is_given_no_name(nok: User, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    monkeypatch.setattr("cdp_site.core.jobs.enqueue", lambda *what: given.append(what))
    for name in (nok.username, "nobody"):
        Client().post(reverse("forgotten"), {"username": name})
    assert given == [(mails.LINK_JOB, nok.pk), (mails.LINK_JOB, 0)]


def test_without_an_address_of_its_own_it_is_not_offered(settings: Settings) -> None:
    client = Client()
    assert reverse("forgotten") in client.get(reverse("login")).content.decode()
    settings.PUBLIC_URL = ""
    assert reverse("forgotten") not in client.get(reverse("login")).content.decode()
    assert client.get(reverse("forgotten")).status_code == 404


def test_the_mail_is_in_the_users_language(nok: User, ask: Ask) -> None:
    User.objects.filter(pk=nok.pk).update(language="th")
    ask(nok.username)
    assert "รหัสผ่าน" in str(mail.outbox[0].body)
