"""Changing values where they stand on the customer's page: forms, consequences, conflicts, undo, who may."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import AccessLogEntry, Department, Role, User
from profiles import openings
from profiles.editing import changing, fields
from profiles.models import AgentEdit, Profile, TraitGroup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def edit_url(profile: Profile, trait: str = "occupation") -> str:
    return reverse("profiles:edit_trait", args=[profile.public_id, trait])


def form_of(client: Client, profile: Profile, trait: str) -> dict[str, str]:
    """What the form would send as it stands."""
    html = client.get(edit_url(profile, trait), headers=HTMX).content.decode()
    return inputs(html)


def inputs(html: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]*>", html):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] != "csrfmiddlewaretoken":
            found[name[1]] = unescape(value[1]) if value else ""
    return found


def save(client: Client, profile: Profile, trait: str, **typed: str) -> HttpResponse:
    sent = form_of(client, profile, trait) | {f"trait-{name}": text for name, text in typed.items()}
    return client.post(edit_url(profile, trait), sent, headers=HTMX)


class TestForm:
    def test_stands_in_the_place_of_the_value(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        page = client.get(reverse("profiles:customer", args=[somchai.public_id])).content.decode()
        assert f'hx-get="{edit_url(somchai)}"' in page
        html = client.get(edit_url(somchai), headers=HTMX).content.decode()
        assert 'name="trait-occupation" value="สถาปนิก"' in html
        assert "<html" not in html

    def test_is_a_page_without_htmx(self, somchai: Profile, login: Login, agent: User) -> None:
        html = login(agent).get(edit_url(somchai)).content.decode()
        assert "<html" in html
        assert "trait-occupation" in html

    def test_of_values_that_systems_state_there_is_none(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        page = client.get(reverse("profiles:customer", args=[somchai.public_id])).content.decode()
        assert edit_url(somchai, "member_id") not in page
        assert client.get(edit_url(somchai, "member_id"), headers=HTMX).status_code == 404

    def test_a_saved_value_comes_back_in_its_panel_with_the_undo(
        self, somchai: Profile, login: Login, agent: User
    ) -> None:
        client = login(agent)
        response = save(client, somchai, "occupation", occupation="ครู")
        html = response.content.decode()
        assert (response.status_code, response["HX-Retarget"]) == (200, "#panel-descriptive-body")
        assert 'hx-swap-oob="innerHTML:#panel-identity-body"' in html
        assert "ครู" in html
        undo = reverse("profiles:undo_edit", args=[somchai.public_id, AgentEdit.objects.get().pk])
        assert undo in html
        back = client.post(undo, follow=True)
        assert back.redirect_chain[-1][0] == reverse("profiles:customer", args=[somchai.public_id])
        assert "สถาปนิก" in back.content.decode()

    def test_without_htmx_the_page_comes_back(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        sent = form_of(client, somchai, "occupation") | {"trait-occupation": "ครู"}
        response = client.post(edit_url(somchai), sent)
        assert response.url == reverse("profiles:customer", args=[somchai.public_id])

    def test_a_kind_of_data_of_which_nothing_was_known_brings_the_page_again(
        self, somchai: Profile, login: Login, agent: User
    ) -> None:
        response = save(login(agent), somchai, "satisfaction", satisfaction="4")
        assert response["HX-Refresh"] == "true"

    @pytest.mark.parametrize(("trait", "typed"), [("phone", "12"), ("birth_date", "31/02/2533"), ("gender", "x")])
    def test_what_cannot_be_kept_comes_back_with_the_reason(
        self, trait: str, typed: str, somchai: Profile, login: Login, agent: User
    ) -> None:
        response = save(login(agent), somchai, trait, **{trait: typed})
        assert response.status_code == 422
        assert 'aria-invalid="true"' in response.content.decode()
        assert not AgentEdit.objects.exists()

    def test_an_emptied_value_of_a_source_is_refused_in_its_field(
        self, somchai: Profile, login: Login, agent: User
    ) -> None:
        response = save(login(agent), somchai, "occupation", occupation="")
        assert response.status_code == 422
        assert "Call centre" in response.content.decode()

    def test_hostile_text_is_text(self, somchai: Profile, login: Login, agent: User) -> None:
        html = save(login(agent), somchai, "occupation", occupation="<script>alert(1)</script>").content.decode()
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


class TestAdd:
    def test_what_nobody_has_said_can_be_filled_in(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        url = reverse("profiles:add_trait", args=[somchai.public_id])
        html = client.get(url, headers=HTMX).content.decode()
        offered = re.findall(r'<option value="([^"]+)"', html)
        assert {"birth_date", "address", "gender"} <= set(offered)
        assert not {"phone", "first_name", "postcode", "member_id", "member_tier"} & set(offered)
        assert client.get(url, {"trait": "birth_date"}, headers=HTMX).url == edit_url(somchai, "birth_date")
        save(client, somchai, "birth_date", birth_date="01/04/2533")
        somchai.refresh_from_db()
        assert somchai.golden["birth_date"] == "1990-04-01"


class TestConsequences:
    def test_are_told_while_it_is_typed(self, somchai: Profile, manee: Profile, login: Login, steward: User) -> None:
        url = reverse("profiles:foresee_edit", args=[somchai.public_id, "email"])
        html = login(steward).post(url, {"trait-email": "manee@baansabai.co.th"}, headers=HTMX).content.decode()
        assert "มานี มีนา" in html
        assert "Saving joins nobody" in html
        assert AccessLogEntry.objects.filter(profile=manee.public_id, what="search.hit").exists()

    def test_are_not_told_of_whom_one_may_not_see(
        self, somchai: Profile, manee: Profile, login: Login, agent: User
    ) -> None:
        url = reverse("profiles:foresee_edit", args=[somchai.public_id, "email"])
        html = login(agent).post(url, {"trait-email": "manee@baansabai.co.th"}, headers=HTMX).content.decode()
        assert "มานี" not in html
        assert "Other customers" not in html
        assert save(login(agent), somchai, "email", email="manee@baansabai.co.th").status_code == 200

    def test_have_to_be_seen_before_it_is_saved(
        self, somchai: Profile, manee: Profile, login: Login, steward: User
    ) -> None:
        client = login(steward)
        first = save(client, somchai, "email", email="manee@baansabai.co.th")
        html = first.content.decode()
        assert (first.status_code, "Save all the same" in html) == (422, True)
        assert not AgentEdit.objects.exists()
        again = client.post(edit_url(somchai, "email"), inputs(html), headers=HTMX)
        assert again.status_code == 200
        assert AgentEdit.objects.count() == 1

    def test_of_something_half_typed_nothing_is_said(self, somchai: Profile, login: Login, steward: User) -> None:
        url = reverse("profiles:foresee_edit", args=[somchai.public_id, "phone"])
        response = login(steward).post(url, {"trait-phone": "08"}, headers=HTMX)
        assert (response.status_code, response.content.decode().strip()) == (200, "")


class TestTwoAtOnce:
    def test_the_later_one_chooses_between_both_values(
        self, somchai: Profile, login: Login, agent: User, steward: User
    ) -> None:
        client = login(agent)
        sent = form_of(client, somchai, "occupation") | {"trait-occupation": "วิศวกร"}
        save(login(steward), somchai, "occupation", occupation="ครู")
        response = client.post(edit_url(somchai), sent, headers=HTMX)
        html = response.content.decode()
        assert (response.status_code, response["X-Choice"]) == (409, "1")
        assert 'value="ครู"' in html
        assert 'value="วิศวกร"' in html
        assert "Changed meanwhile by steward" in html
        somchai.refresh_from_db()
        assert somchai.golden["occupation"] == "ครู"
        chosen = inputs(html) | {"trait-occupation": "วิศวกร"}
        assert client.post(edit_url(somchai), chosen, headers=HTMX).status_code == 200
        somchai.refresh_from_db()
        assert somchai.golden["occupation"] == "วิศวกร"

    def test_fields_in_which_both_agree_leave_no_choice(
        self, somchai: Profile, login: Login, agent: User, steward: User
    ) -> None:
        client = login(agent)
        sent = form_of(client, somchai, "last_name") | {"trait-last_name": "รักไทย"}
        save(login(steward), somchai, "last_name", last_name="ใจงาม")
        html = client.post(edit_url(somchai, "last_name"), sent, headers=HTMX).content.decode()
        assert html.count("<fieldset") == 1
        assert '<input type="hidden" name="trait-first_name" value="สมชาย">' in html

    def test_without_htmx_it_is_a_page(self, somchai: Profile, login: Login, agent: User, steward: User) -> None:
        client = login(agent)
        sent = form_of(client, somchai, "occupation") | {"trait-occupation": "วิศวกร"}
        save(login(steward), somchai, "occupation", occupation="ครู")
        response = client.post(edit_url(somchai), sent)
        assert response.status_code == 409
        assert "<html" in response.content.decode()


class TestMasked:
    OLD = ("0863451972", "086 345 1972", "+66863451972")

    def test_is_changed_without_being_shown(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        html = client.get(edit_url(somchai, "phone"), headers=HTMX).content.decode()
        assert not any(number in html for number in self.OLD)
        assert "•••• 1972" in html
        foreseen = client.post(
            reverse("profiles:foresee_edit", args=[somchai.public_id, "phone"]), {"trait-phone": "0812345679"},
            headers=HTMX,
        ).content.decode()  # fmt: skip
        assert not any(number in foreseen for number in self.OLD)
        assert "•••• 1972 stays known from" in unescape(foreseen)
        assert save(client, somchai, "phone", phone="0812345679").status_code == 200

    def test_nor_in_a_conflict(self, somchai: Profile, login: Login, agent: User, steward: User) -> None:
        client = login(agent)
        sent = form_of(client, somchai, "phone") | {"trait-phone": "0812345679"}
        save(login(steward), somchai, "phone", phone="0898765431")
        response = client.post(edit_url(somchai, "phone"), sent, headers=HTMX)
        html = response.content.decode()
        assert response.status_code == 409
        assert "898765431" not in html
        assert "89 876 5431" not in html
        assert "•••• 5431" in html
        kept = client.post(edit_url(somchai, "phone"), inputs(html) | {"trait-phone": ""}, headers=HTMX)
        assert kept.status_code == 200
        somchai.refresh_from_db()
        assert somchai.golden["phone"] == "+66898765431"

    def test_is_shown_when_the_customer_is_open(self, somchai: Profile, login: Login, agent: User) -> None:
        openings.open_for_reason(somchai, reason="correction", by=agent)
        html = login(agent).get(edit_url(somchai, "phone"), headers=HTMX).content.decode()
        assert 'value="086 345 1972"' in html


class TestWhoMay:
    def every(self, profile: Profile) -> list[tuple[str, str]]:
        names = {"public_id": profile.public_id}
        return [
            ("get", reverse("profiles:edit_trait", kwargs=names | {"trait": "occupation"})),
            ("post", reverse("profiles:edit_trait", kwargs=names | {"trait": "occupation"})),
            ("post", reverse("profiles:foresee_edit", kwargs=names | {"trait": "phone"})),
            ("get", reverse("profiles:add_trait", kwargs=names)),
            ("post", reverse("profiles:undo_edit", kwargs=names | {"edit_id": profile.public_id})),
        ]

    @pytest.mark.parametrize("role", [Role.MARKETER, Role.ANALYST, Role.ADMIN, Role.COMPLIANCE, ""])
    def test_roles_that_do_not_edit(
        self, role: str, somchai: Profile, login: Login, make_user: Callable[..., User]
    ) -> None:
        client = login(make_user(role))
        for method, url in self.every(somchai):
            assert getattr(client, method)(url).status_code == 404

    def test_customers_of_other_departments(self, manee: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        for method, url in self.every(manee):
            assert getattr(client, method)(url).status_code == 404
        assert client.get(reverse("profiles:attributes", args=[manee.public_id])).status_code == 404

    def test_traits_of_other_departments(
        self, somchai: Profile, login: Login, agent: User, marketing: Department
    ) -> None:
        TraitGroup.objects.filter(slug="other").update(department=marketing)
        TraitGroup.objects.filter(slug="descriptive").update(department=marketing)
        assert login(agent).get(edit_url(somchai), headers=HTMX).status_code == 404


def test_a_form_and_what_follows_stay_within_their_queries(
    somchai: Profile, login: Login, agent: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = login(agent)
    client.get(edit_url(somchai), headers=HTMX)
    with django_assert_max_num_queries(14):  # session, user, scope, openings, profile, log included
        client.get(edit_url(somchai), headers=HTMX)


def test_what_a_colleague_changed_comes_without_loading_the_page(
    somchai: Profile, login: Login, agent: User, steward: User
) -> None:
    seen = fields.load(somchai, "occupation", by=steward)
    assert seen is not None
    said = {"occupation": "ครู"}
    changing.change(profile=somchai, trait="occupation", said=said, version=seen.version, by=steward)
    url = reverse("profiles:attributes", args=[somchai.public_id])
    html = login(agent).get(url, headers=HTMX).content.decode()
    assert "ครู" in html
    assert 'id="presence-since"' in html
    assert login(agent).get(url).url == reverse("profiles:customer", args=[somchai.public_id])
