"""A login ends: when nobody works, after a working day, and at once when the person's role, department, password or
activity changes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.models import Department, Role, User
from tests.integration.login.conftest import PASSWORD, is_in

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def later(**how: float) -> "time_machine.travel":
    return time_machine.travel(timezone.now() + timedelta(**how))


class TestTime:
    def test_idle_for_half_an_hour_ends_it_and_leads_back(self, login: Login, nok: User) -> None:
        client = login(nok)
        with later(minutes=29):
            assert is_in(client)
        with later(minutes=58):  # the request of before counted
            assert is_in(client)
        with later(minutes=90):
            answer = client.get("/customers/")
            assert answer.headers["Location"] == "/login/?ended=idle&next=/customers/"
            assert 'role="status"' in client.get(answer.headers["Location"]).content.decode()

    def test_what_a_page_polls_keeps_nobody_in(self, login: Login, nok: User) -> None:
        client = login(nok)
        for minutes in (10, 20, 29):
            with later(minutes=minutes):
                assert client.get("/", headers={"CDP-Background": "1"}).status_code == 200
        with later(minutes=31):
            assert not is_in(client)

    def test_a_working_day_ends_it_whatever_is_done(self, login: Login, nok: User) -> None:
        client = login(nok)
        for minutes in range(20, 12 * 60, 20):
            with later(minutes=minutes):
                assert is_in(client)
        with later(hours=12, minutes=1):
            assert client.get("/").headers["Location"].startswith("/login/?ended=absolute")

    def test_htmx_is_led_to_the_login_and_from_there_to_its_page(self, login: Login, nok: User) -> None:
        client = login(nok)
        page = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers/?kind=a"}
        with later(minutes=31):
            answer = client.post("/customers/search/", {"q": "x"}, headers=page)
        assert answer.status_code == 200
        assert answer.headers["HX-Redirect"] == "/login/?ended=idle&next=/customers/%3Fkind%3Da"

    def test_a_program_is_told_401(self, login: Login, nok: User) -> None:
        client = login(nok)
        with later(minutes=31):
            assert client.get("/api/v1/profiles/018f0000-0000-7000-8000-000000000000").status_code == 401


class TestChanges:
    @pytest.mark.parametrize("by_query", [True, False], ids=["by a query", "by the administration"])
    @pytest.mark.parametrize("field", ["role", "department", "password", "is_active"])
    def test_ends_every_session_at_once(
        self, login: Login, nok: User, marketing: Department, field: str, by_query: bool
    ) -> None:
        browsers = [login(nok), login(nok)]
        values = {"role": Role.STEWARD, "department": marketing, "password": "!", "is_active": False}
        if by_query:
            User.objects.filter(pk=nok.pk).update(**{field: values[field]})
        else:
            user = User.objects.get(pk=nok.pk)
            setattr(user, field, values[field])
            user.save()
        for browser in browsers:
            assert browser.get("/").headers["Location"].startswith("/login/")

    def test_one_that_was_deactivated_stays_out_when_active_again(self, login: Login, nok: User) -> None:
        browser = login(nok)
        User.objects.filter(pk=nok.pk).update(is_active=False)
        User.objects.filter(pk=nok.pk).update(is_active=True)
        assert not is_in(browser)
        assert is_in(login(nok))

    def test_a_stale_copy_that_is_saved_brings_no_session_back(self, login: Login, nok: User) -> None:
        stale, browser = User.objects.get(pk=nok.pk), login(nok)
        User.objects.filter(pk=nok.pk).update(role=Role.STEWARD)
        User.objects.filter(pk=nok.pk).update(role=Role.AGENT)
        stale.save()
        assert not is_in(browser)

    def test_other_changes_end_nothing(self, login: Login, nok: User) -> None:
        browser = login(nok)
        User.objects.filter(pk=nok.pk).update(first_name="Nok", language="th", email="n@baansabai.co.th")
        assert is_in(browser)

    def test_a_second_step_begun_before_the_change_leads_nowhere(
        self, with_code_app: User, try_password: Callable[..., HttpResponse]
    ) -> None:
        from tests.integration.login.conftest import code

        client = Client()
        assert try_password(client, with_code_app.username).url == reverse("mfa_authenticate")
        User.objects.filter(pk=with_code_app.pk).update(role=Role.STEWARD)
        assert client.post(reverse("mfa_authenticate"), {"code": code()}).url == "/login/"
        assert not is_in(client)


class TestOwnPassword:
    def change(self, client: Client, old: str = PASSWORD, new: str = "another-good-2570") -> HttpResponse:
        form = {"old_password": old, "new_password1": new, "new_password2": new}
        return client.post(reverse("account_password"), form)

    def test_a_new_one_keeps_this_session_and_ends_the_others(self, login: Login, nok: User) -> None:
        here, elsewhere = login(nok), login(nok)
        assert self.change(here).url == reverse("account")
        assert is_in(here)
        assert not is_in(elsewhere)

    def test_guessing_the_old_one_is_limited(self, login: Login, nok: User) -> None:
        client = login(nok)
        for _time in range(5):
            assert self.change(client, old="wrong").status_code == 422
        assert self.change(client).status_code == 422
        nok.refresh_from_db()
        assert nok.check_password(PASSWORD)

    def test_a_weak_one_is_refused(self, login: Login, nok: User) -> None:
        assert self.change(login(nok), new="12345678").status_code == 422

    def test_who_has_none_finds_no_page(self, login: Login, marketer: User) -> None:
        assert login(marketer).get(reverse("account_password")).status_code == 404

    def test_everywhere_else_can_be_left(self, login: Login, nok: User) -> None:
        here, elsewhere = login(nok), login(nok)
        assert here.post(reverse("account_elsewhere")).url == reverse("account")
        assert is_in(here)
        assert not is_in(elsewhere)
