"""Pages of cases: the panel, the dialog of one case, and what somebody has to follow up."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.models import AccessLogEntry, Department, User
from profiles.cases import handling
from profiles.cases.handling import Said
from profiles.models import Case, Profile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def case(somchai: Profile, agent: User) -> Case:
    return handling.open_case(profile=somchai, subject="New address", said=Said("By Friday"), by=agent)


def url(name: str, case: Case) -> str:
    return reverse(f"profiles:{name}", args=[case.profile.public_id, case.pk])


def step(case: Case, **said: object) -> dict[str, object]:
    return {"step-seen": case.notes.latest_first()[0].pk, **{f"step-{name}": value for name, value in said.items()}}


class TestThePanel:
    def test_opens_a_case_and_shows_it(self, somchai: Profile, agent: User, login: Login) -> None:
        tomorrow = timezone.localdate() + timedelta(days=1)
        told = {"case-subject": "New address", "case-text": "By Friday", "case-follow_up_on": tomorrow.isoformat()}
        response = login(agent).post(reverse("profiles:open_case", args=[somchai.public_id]), told, headers=HTMX)
        assert response.status_code == 200
        assert response["HX-Retarget"] == "#panel-cases-body"
        page = response.content.decode()
        assert "New address" in page
        assert "Case opened." in page
        assert "with you" in page
        assert Case.objects.get().follow_up_on == tomorrow

    @pytest.mark.parametrize(
        "told",
        [
            {"case-subject": ""},
            {"case-subject": " "},
            {"case-subject": "x" * 121},
            {"case-subject": "x", "case-follow_up_on": "2020-01-01"},
            {"case-subject": "x", "case-follow_up_on": "<script>"},
            {"case-subject": "x", "case-text": "x" * 4001},
        ],
    )
    def test_what_cannot_be_kept_comes_back(
        self, told: dict[str, str], somchai: Profile, agent: User, login: Login
    ) -> None:
        response = login(agent).post(reverse("profiles:open_case", args=[somchai.public_id]), told, headers=HTMX)
        assert response.status_code == 422
        assert 'aria-invalid="true"' in response.content.decode()
        assert not Case.objects.exists()

    def test_html_and_foreign_letters_are_words(self, somchai: Profile, agent: User, login: Login) -> None:
        told = {"case-subject": "<b>😀\u202eกข</b>'; DROP TABLE--"}
        page = login(agent).post(reverse("profiles:open_case", args=[somchai.public_id]), told, headers=HTMX)
        assert "<b>😀" not in page.content.decode()
        assert "&lt;b&gt;😀" in page.content.decode()

    def test_six_queries_at_most_beside_who_asks_and_what_they_may_see(
        self, case: Case, agent: User, login: Login
    ) -> None:
        for _time in range(3):
            handling.open_case(profile=case.profile, subject="x", said=Said(), by=agent)
        client, path = login(agent), reverse("profiles:cases", args=[case.profile.public_id])
        client.get(path, headers=HTMX)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(path, headers=HTMX)
        own = [
            one["sql"]
            for one in queries
            if "django_session" not in one["sql"] and 'core_user"."id" =' not in one["sql"]
        ]
        assert len(own) <= 6, own

    def test_the_look_is_written_down(self, case: Case, agent: User, login: Login) -> None:
        login(agent).get(reverse("profiles:cases", args=[case.profile.public_id]), headers=HTMX)
        assert AccessLogEntry.objects.get().what == "profile.cases"

    def test_a_page_of_its_own(self, case: Case, agent: User, login: Login) -> None:
        page = login(agent).get(reverse("profiles:cases", args=[case.profile.public_id])).content.decode()
        assert "<h1" in page
        assert "New address" in page

    def test_the_customer_s_figures_count_what_is_open(
        self, case: Case, agent: User, marketer: User, login: Login
    ) -> None:
        path = reverse("profiles:customer", args=[case.profile.public_id])
        for user, number in ((agent, 1), (marketer, 0)):
            page = login(user).get(path).content.decode()
            assert f"<dt>Open cases</dt><dd>{number}" in page


class TestTheDialog:
    def test_shows_the_history_and_takes_a_note(self, case: Case, agent: User, login: Login) -> None:
        client = login(agent)
        assert "By Friday" in client.get(url("case", case), headers=HTMX).content.decode()
        said = step(case, text="Not there", disposition="not_reached")
        response = client.post(url("note_case", case), said, headers=HTMX)
        assert response.status_code == 200
        assert response["HX-Trigger"] == '{"dialog:close": {}}'
        assert "Customer not reached" in client.get(url("case", case), headers=HTMX).content.decode()

    def test_what_a_colleague_wrote_meanwhile_is_shown_and_the_own_words_stay(
        self, case: Case, agent: User, steward: User, login: Login
    ) -> None:
        mine = step(case, text="Mine")
        handling.note(case=case, said=Said("Theirs"), seen=mine["step-seen"], by=steward)  # type: ignore[arg-type]
        client = login(agent)
        response = client.post(url("note_case", case), mine, headers=HTMX)
        page = response.content.decode()
        assert response.status_code == 422
        assert "A colleague has just written on this case." in page
        assert "Theirs" in page
        assert ">Mine</textarea>" in page.replace("\n", "")
        seen = case.notes.latest_first()[0].pk
        assert f'value="{seen}"' in page
        assert client.post(url("note_case", case), mine | {"step-seen": seen}, headers=HTMX).status_code == 200

    def test_hands_over_and_is_read_only_after_that(
        self, case: Case, agent: User, marketing: Department, login: Login
    ) -> None:
        client = login(agent)
        assert client.post(url("hand_over_case", case), step(case), headers=HTMX).status_code == 422
        response = client.post(url("hand_over_case", case), step(case, to=marketing.pk), headers=HTMX)
        assert "Handed over to Marketing." in response.content.decode()
        page = client.get(url("case", case), headers=HTMX).content.decode()
        assert "Another department has this case now." in page
        assert "<textarea" not in page

    def test_is_taken_closed_and_opened_again(self, case: Case, agent: User, steward: User, login: Login) -> None:
        client = login(steward)
        assert "I follow it up" in client.get(url("case", case), headers=HTMX).content.decode()
        client.post(url("take_case", case), step(case), headers=HTMX)
        case.refresh_from_db()
        assert case.assignee == steward
        response = client.post(url("close_case", case), step(case), headers=HTMX)
        assert f'action="{url("reopen_case", case)}"' in response.content.decode()
        undone = client.post(url("reopen_case", case))
        assert undone.url == reverse("profiles:customer", args=[case.profile.public_id])
        case.refresh_from_db()
        assert case.is_open

    def test_without_htmx_the_page_does_the_same(self, case: Case, agent: User, login: Login) -> None:
        client = login(agent)
        page = client.get(url("case", case)).content.decode()
        assert "<h1" in page
        assert "hx-post" not in page.split("case-form")[1].split("</form>")[0]
        assert client.post(url("note_case", case), step(case)).status_code == 422
        assert client.post(url("note_case", case), step(case, text="x")).status_code == 302


ROUTES = ("case", "note_case", "take_case", "hand_over_case", "close_case", "reopen_case")


class TestWhoMayNot:
    @pytest.mark.parametrize("name", ROUTES)
    def test_outsiders_and_other_departments_find_nothing(
        self, name: str, case: Case, outsider: User, marketer: User, analyst: User, login: Login
    ) -> None:
        for user in (outsider, marketer, analyst):
            client = login(user)
            send = client.get if name == "case" else client.post
            response = send(url(name, case), headers=HTMX)
            assert response.status_code == 404
            assert "New address" not in response.content.decode()
        case.refresh_from_db()
        assert case.is_open

    def test_the_panel_of_another_department_is_empty(self, case: Case, marketer: User, login: Login) -> None:
        page = login(marketer).get(reverse("profiles:cases", args=[case.profile.public_id]), headers=HTMX)
        assert "New address" not in page.content.decode()
        assert "waits for nothing" in page.content.decode()

    def test_a_case_of_somebody_else_is_not_found_here(
        self, case: Case, manee: Profile, steward: User, login: Login
    ) -> None:
        for public_id, number in ((manee.public_id, case.pk), (case.profile.public_id, uuid4())):
            path = reverse("profiles:case", args=[public_id, number])
            assert login(steward).get(path, headers=HTMX).status_code == 404

    def test_outsiders_have_no_list(self, outsider: User, analyst: User, admin: User, login: Login) -> None:
        for user in (outsider, analyst, admin):
            for name in ("follow_ups", "follow_ups_due"):
                assert login(user).get(reverse(f"profiles:{name}")).status_code == 404


class TestFollowUps:
    def test_lists_and_counts_what_is_due(self, case: Case, agent: User, login: Login) -> None:
        client = login(agent)
        assert client.get(reverse("profiles:follow_ups_due")).content.decode().strip() == ""
        Case.objects.update(follow_up_on=timezone.localdate() - timedelta(days=2))
        badge = client.get(reverse("profiles:follow_ups_due")).content.decode()
        assert "1 follow-up due" in badge
        page = client.get(reverse("profiles:follow_ups")).content.decode()
        assert "New address" in page
        assert "overdue" in page
        assert "สมชาย" in page
        assert url("case", case) in page

    def test_the_navigation_leads_there(self, agent: User, analyst: User, login: Login) -> None:
        link = f'href="{reverse("profiles:follow_ups")}"'
        assert link in login(agent).get(reverse("home")).content.decode()
        assert link not in login(analyst).get(reverse("home")).content.decode()

    @pytest.mark.parametrize("whose", ["mine", "unclaimed", "department", "nonsense"])
    def test_empty_lists_say_what_comes_here(self, whose: str, agent: User, login: Login) -> None:
        page = login(agent).get(reverse("profiles:follow_ups"), {"whose": whose}).content.decode()
        assert ("Nothing waits to be taken" if whose == "unclaimed" else "No open cases") in page

    def test_the_number_of_queries_does_not_grow(self, case: Case, agent: User, login: Login) -> None:
        client, path = login(agent), reverse("profiles:follow_ups")

        def count() -> int:
            with CaptureQueriesContext(connection) as queries:
                client.get(path, headers=HTMX)
            return len(queries)

        before = count()
        for _time in range(5):
            handling.open_case(profile=case.profile, subject="x", said=Said(), by=agent)
        assert count() <= before
