"""The matrix of access, and looking with another's eyes."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core import stand_in
from cdp_site.core.access import scope_of
from cdp_site.core.errors import ConflictProblem, InternalError
from cdp_site.core.models import AccessLogEntry, AuditEvent, Department, User
from ingestion.models import Source
from profiles import access_matrix
from profiles.access_matrix import Standing
from profiles.models import Profile, Trait, TraitGroup
from tests.customers import Tell, identify

pytestmark = pytest.mark.usefixtures("in_english")

Login = Callable[[User], Client]


def again(user: User) -> User:
    """As the next request reads them."""
    return User.objects.get(pk=user.pk)


def cell(kind: str, container: Source | TraitGroup, department: Department) -> str:
    return reverse("profiles:access_change", args=[kind, container.pk, department.pk])


def standing(kind: str, container: Source | TraitGroup, department: Department) -> Standing:
    row = next(row for row in access_matrix.read(kind).rows if row.container == container)
    return next(cell.standing for cell in row.cells if cell.department == department)


@pytest.fixture
def sensitive(db: None) -> TraitGroup:
    return TraitGroup.objects.get(is_sensitive=True)


class TestMatrix:
    def test_says_how_each_department_stands(
        self, web_shop: Source, pos: Source, marketing: Department, care: Department
    ) -> None:
        assert standing("sources", web_shop, marketing) is Standing.OWN
        assert standing("sources", web_shop, care) is Standing.HIDDEN
        assert standing("sources", pos, care) is Standing.COMMON

    @pytest.mark.parametrize("kind", access_matrix.KINDS)
    def test_is_shown(self, login: Login, admin: User, compliance: User, web_shop: Source, kind: str) -> None:
        for user in (admin, compliance):
            answer = login(user).get(f"/access/?of={kind}")
            assert answer.status_code == 200
            assert b"Customer care" in answer.content

    def test_a_grant_bites_with_the_next_request_and_so_does_its_end(
        self, login: Login, admin: User, agent: User, care: Department, web_shop: Source
    ) -> None:
        desk = login(admin)
        assert not scope_of(again(agent)).sees_source(web_shop.pk)
        answer = desk.post(cell("sources", web_shop, care), {"sees": "yes"}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert b'aria-pressed="true"' in answer.content
        assert scope_of(again(agent)).sees_source(web_shop.pk)
        desk.post(cell("sources", web_shop, care), {"sees": "no"})
        assert not scope_of(again(agent)).sees_source(web_shop.pk)

    def test_is_audited_by_names_alone(self, login: Login, admin: User, care: Department, web_shop: Source) -> None:
        login(admin).post(cell("sources", web_shop, care), {"sees": "yes"})
        event = AuditEvent.objects.get(action="access.grant")
        assert (event.target_id, event.fields) == (str(care.pk), [f"ingestion.Source:{web_shop.pk}"])
        login(admin).post(cell("sources", web_shop, care), {"sees": "yes"})
        assert AuditEvent.objects.filter(action="access.grant").count() == 1, "nothing changed"

    def test_what_is_seen_anyway_is_not_granted(
        self, login: Login, admin: User, marketing: Department, web_shop: Source
    ) -> None:
        assert login(admin).post(cell("sources", web_shop, marketing), {"sees": "no"}).status_code == 409
        with pytest.raises(ConflictProblem):
            access_matrix.change(
                kind="sources", container_id=web_shop.pk, department_id=marketing.pk, sees=True, by=admin
            )

    def test_compliance_looks_and_changes_nothing(
        self, login: Login, compliance: User, care: Department, web_shop: Source
    ) -> None:
        desk = login(compliance)
        assert b'<button class="btn btn-sm grant"' not in desk.get("/access/").content
        assert desk.post(cell("sources", web_shop, care), {"sees": "yes"}).status_code == 404

    @pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", ""])
    def test_others_find_nothing(
        self, login: Login, make_user: Callable[..., User], care: Department, web_shop: Source, role: str
    ) -> None:
        browser = login(make_user(role, care, "somebody"))
        for path in ("/access/", "/access/reading/?role=agent"):
            assert browser.get(path).status_code == 404
        for path in (cell("sources", web_shop, care), "/access/view-as/"):
            assert browser.post(path, {"sees": "yes", "role": "agent"}).status_code == 404
        assert standing("sources", web_shop, care) is Standing.HIDDEN

    @pytest.mark.parametrize("path", ["/access/?of=customers", "/access/customers/1/1/"])
    def test_there_are_three_matrices(self, login: Login, admin: User, path: str) -> None:
        browser = login(admin)
        answer = browser.get(path) if "?" in path else browser.post(path, {"sees": "yes"})
        assert answer.status_code == 404

    def test_tells_how_traits_are_read(self, login: Login, admin: User, care: Department) -> None:
        page = login(admin).get(f"/access/reading/?role=agent&department={care.pk}").content.decode()
        assert "masked" in page
        somebody = stand_in.example(role="agent", department=care)
        read = {one.trait.name: one.how for one in access_matrix.reading_of(somebody)}
        assert (read["phone"], read["first_name"], read["religion"]) == ("masked", "shown", "hidden")


class TestSensitive:
    def test_nobody_sees_it_whatever_the_role(self, make_user: Callable[..., User], care: Department) -> None:
        for role in ("agent", "marketer", "steward", "compliance", "analyst", "admin"):
            scope = scope_of(make_user(role, care, role))
            assert not scope.sees_trait_group("sensitive")
            assert scope.hides_sensitive
            assert {"religion", "health"} <= scope.hidden_traits

    def test_nor_does_the_department_that_owns_it(self, sensitive: TraitGroup, steward: User) -> None:
        TraitGroup.objects.filter(pk=sensitive.pk).update(department=steward.department)
        assert not scope_of(again(steward)).sees_trait_group("sensitive")

    def test_a_department_is_let_see_it_by_name(
        self, sensitive: TraitGroup, admin: User, agent: User, marketer: User, care: Department
    ) -> None:
        access_matrix.change(kind="groups", container_id=sensitive.pk, department_id=care.pk, sees=True, by=admin)
        assert scope_of(again(agent)).sees_trait_group("sensitive")
        assert not scope_of(again(marketer)).sees_trait_group("sensitive")
        assert not scope_of(again(admin)).sees_trait_group("sensitive"), "who grants is not let see"

    def test_what_sounds_sensitive_is_hidden_when_it_first_comes(
        self, tell: Tell, pos: Source, sensitive: TraitGroup
    ) -> None:
        tell(pos, identify("P1", healthCondition="แพ้ถั่ว", bloodGroup="O", favourite_colour="red"))
        groups = dict(Trait.objects.values_list("name", "group__slug"))
        assert groups["health_condition"] == groups["blood_group"] == "sensitive"
        assert groups["favourite_colour"] == "other"


class TestViewAs:
    @pytest.fixture
    def eyes(self, login: Login, compliance: User, care: Department) -> Client:
        browser = login(compliance)
        assert browser.post("/access/view-as/", {"role": "agent", "department": care.pk}).status_code == 302
        return browser

    def test_shows_what_the_other_would_see(self, eyes: Client, somchai: Profile, manee: Profile) -> None:
        page = eyes.get(reverse("profiles:customer", args=[somchai.public_id])).content.decode()
        assert "You see what this role sees: Call-center agent" in page
        assert "•••• 1972" in page
        assert "086 345 1972" not in page
        assert "somchai@" not in page
        assert eyes.get(reverse("profiles:customer", args=[manee.public_id])).status_code == 404

    def test_changes_nothing(self, eyes: Client, somchai: Profile) -> None:
        before = AuditEvent.objects.count()
        for name in ("add_note", "pin", "reveal"):
            answer = eyes.post(reverse(f"profiles:{name}", args=[somchai.public_id]), {"text": "x"})
            assert answer.status_code in (403, 404)
        answer = eyes.post(reverse("profiles:add_note", args=[somchai.public_id]), {"text": "x"})
        assert answer.status_code == 403
        assert b"nothing can be changed" in answer.content
        assert AuditEvent.objects.count() == before

    def test_may_search(self, eyes: Client, somchai: Profile) -> None:
        assert "สมชาย" in eyes.post("/customers/suggest/", {"q": "สมชาย"}).content.decode()

    def test_is_noted_under_ones_own_name(self, eyes: Client, compliance: User, somchai: Profile) -> None:
        eyes.get(reverse("profiles:customer", args=[somchai.public_id]))
        assert AuditEvent.objects.get(action="access.view_as").actor == f"user:{compliance.pk}"
        assert AccessLogEntry.objects.filter(actor=f"user:{compliance.pk}", what="profile.view").exists()

    def test_ends(self, eyes: Client, somchai: Profile) -> None:
        assert eyes.post("/access/view-as/stop/").status_code == 302
        page = eyes.get(reverse("profiles:customer", args=[somchai.public_id])).content.decode()
        assert "You see what this role sees" not in page
        assert "086 345 1972" in page
        assert AuditEvent.objects.filter(action="access.view_as_end").exists()

    def test_leads_to_no_other_pages(self, eyes: Client) -> None:
        for path in ("/audit/", "/requests/", "/access/", "/admin/"):
            assert eyes.get(path).status_code == 404

    @pytest.mark.parametrize("role", ["steward", "compliance", "admin", "owner", ""])
    def test_not_as_somebody_who_sees_more(self, login: Login, compliance: User, role: str) -> None:
        browser = login(compliance)
        browser.post("/access/view-as/", {"role": role})
        assert "view_as" not in browser.session

    def test_an_administrator_sees_no_customer_with_anybodys_eyes(
        self, login: Login, admin: User, care: Department, somchai: Profile
    ) -> None:
        browser = login(admin)
        browser.post("/access/view-as/", {"role": "agent", "department": care.pk})
        assert browser.get(reverse("profiles:customer", args=[somchai.public_id])).status_code == 404
        assert browser.get("/customers/").status_code == 404

    def test_borrows_no_grant_of_sensitive_data(
        self,
        eyes: Client,
        compliance: User,
        marketing: Department,
        care: Department,
        admin: User,
        sensitive: TraitGroup,
    ) -> None:
        access_matrix.change(kind="groups", container_id=sensitive.pk, department_id=marketing.pk, sees=True, by=admin)
        assert scope_of(stand_in.of(compliance, role="marketer", department=marketing)).hides_sensitive
        somebody = stand_in.example(role="marketer", department=marketing)
        assert not scope_of(somebody).hides_sensitive, "the list of traits tells the truth"

    def test_cannot_be_saved(self, compliance: User, care: Department) -> None:
        eyes = stand_in.of(compliance, role="agent", department=care)
        with pytest.raises(InternalError):
            eyes.save()
        with pytest.raises(InternalError):
            eyes.refresh_from_db()
        assert again(compliance).role == "compliance"
