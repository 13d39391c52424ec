"""`create_user` makes the first administrator of a new installation."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from cdp_site.core.models import AuditEvent, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))


def test_an_administrator_may_open_the_administration(say: Callable[[str], None], client: Client) -> None:
    say("correct horse battery")
    call_command("create_user", "first", "--role", "admin", "--password-stdin")
    assert client.login(username="first", password="correct horse battery")
    assert client.get("/admin/").status_code == 200
    assert AuditEvent.objects.get().action == "user.create"


def test_a_weak_password_or_an_unknown_department_makes_nobody(say: Callable[[str], None]) -> None:
    say("12345")
    with translation.override("en"), pytest.raises(CommandError, match="too short"):
        call_command("create_user", "weak", "--role", "agent", "--password-stdin")
    with pytest.raises(CommandError, match="There is no department 'care'"):
        call_command("create_user", "lost", "--role", "agent", "--department", "care", "--password-stdin")
    assert not User.objects.exists()
