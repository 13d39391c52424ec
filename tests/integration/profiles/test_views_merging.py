"""Merging and parting customers by hand: choose, look, say why, do, undo."""

from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from cdp_site.core import impact
from cdp_site.core.models import AccessLogEntry, User
from ingestion.models import Source
from profiles import notes
from profiles.models import LinkDecision, Note, Profile, SourceRecord
from tests.customers import Tell, identify, profile_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def twin(tell: Tell, call_centre: Source) -> Profile:
    """The same man under another number."""
    tell(call_centre, identify("C2", firstName="สมชาย", lastName="ใจดี", phone="0863459999"))
    return profile_of(call_centre, "C2")


def merge_url(one: Profile, other: Profile) -> str:
    return reverse("profiles:merge", args=[one.public_id, other.public_id])


def unmerge_url(profile: Profile) -> str:
    return reverse("profiles:unmerge", args=[profile.public_id])


def undo_url(response: HttpResponse) -> str:
    (message,) = get_messages(response.wsgi_request)
    return message.extra_tags


def record(external_id: str) -> SourceRecord:
    return SourceRecord.objects.get(external_id=external_id)


def test_only_roles_that_merge_find_the_pages(
    somchai: Profile, twin: Profile, login: Login, agent: User, outsider: User
) -> None:
    pages = [
        reverse("profiles:merge_choose", args=[somchai.public_id]),
        merge_url(somchai, twin),
        unmerge_url(somchai),
        reverse("profiles:revert", args=[somchai.public_id]),
    ]
    for user in (agent, outsider):
        for page in pages:
            assert login(user).get(page).status_code == 404
            assert login(user).post(page, {"reason": "x", "record": "1"}).status_code == 404
    page = login(agent).get(reverse("profiles:customer", args=[somchai.public_id])).content.decode()
    assert "/merge/" not in page


class TestMerge:
    def test_the_search_offers_everybody_but_the_customer(
        self, somchai: Profile, twin: Profile, as_steward: Client
    ) -> None:
        path = reverse("profiles:merge_choose", args=[somchai.public_id])
        assert "<html" in as_steward.get(path).content.decode()
        page = as_steward.post(path, {"q": "สมชาย"}, headers=HTMX).content.decode()
        assert merge_url(somchai, twin) in page
        assert merge_url(somchai, somchai) not in page

    def test_the_preview_shows_what_would_change_and_changes_nothing(
        self, somchai: Profile, twin: Profile, as_steward: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        effect = impact.Effect("Consent", "e-mail: granted → refused", is_loss=True)
        monkeypatch.setattr(impact, "_previews", [lambda before, after: [effect]])
        page = as_steward.get(merge_url(somchai, twin)).content.decode()
        assert "086 345 9999" in page
        assert "e-mail: granted → refused" in page
        assert "1 record" not in page
        assert not LinkDecision.objects.filter(kind="steward").exists()
        assert set(AccessLogEntry.objects.values_list("profile", flat=True)) == {somchai.public_id, twin.public_id}

    def test_a_reason_is_asked_for(self, somchai: Profile, twin: Profile, as_steward: Client) -> None:
        assert as_steward.post(merge_url(somchai, twin), {"reason": " "}).status_code == 422
        assert Profile.objects.get(pk=twin.pk).state == "live"

    def test_merges_and_can_be_undone(self, somchai: Profile, twin: Profile, as_steward: Client) -> None:
        response = as_steward.post(merge_url(twin, somchai), {"reason": "โทรมายืนยัน"})
        assert response.status_code == 302
        assert response.url == reverse("profiles:customer", args=[somchai.public_id])
        twin.refresh_from_db()
        assert twin.redirect_to == somchai
        records = as_steward.get(reverse("profiles:records", args=[somchai.public_id])).content.decode()
        assert "โทรมายืนยัน" in records

        undone = as_steward.post(undo_url(response))
        assert undone.status_code == 302
        twin.refresh_from_db()
        assert twin.state == "live"
        assert as_steward.post(undo_url(response)).status_code == 409

    def test_a_customer_with_itself_is_refused_in_words(self, somchai: Profile, as_steward: Client) -> None:
        response = as_steward.get(merge_url(somchai, somchai))
        assert response.status_code == 400
        assert "at least two customers" in response.content.decode()

    def test_an_undo_of_something_else_is_404(self, somchai: Profile, as_steward: Client) -> None:
        assert as_steward.post(reverse("profiles:revert", args=[somchai.public_id])).status_code == 404


class TestUnmerge:
    def test_asks_which_records_first(self, somchai: Profile, as_steward: Client) -> None:
        page = as_steward.get(unmerge_url(somchai)).content.decode()
        assert page.count('type="checkbox"') == 3
        assert "Nothing chosen yet" in page

    def test_the_preview_shows_both_sides(self, somchai: Profile, as_steward: Client) -> None:
        page = as_steward.get(unmerge_url(somchai), {"record": record("C1").pk}, headers=HTMX).content.decode()
        assert "<html" not in page
        assert "Afterwards" in page
        assert "1 touchpoint moves along" in page

    def test_all_records_cannot_be_taken_out(self, somchai: Profile, as_steward: Client) -> None:
        numbers = [record(name).pk for name in ("P1", "u1", "C1")]
        response = as_steward.get(unmerge_url(somchai), {"record": numbers}, headers=HTMX)
        assert response.status_code == 422
        assert "not none and not all" in response.content.decode()

    def test_records_of_another_customer_are_not_taken(
        self, somchai: Profile, manee: Profile, as_steward: Client
    ) -> None:
        page = as_steward.get(unmerge_url(somchai), {"record": record("u7").pk}).content.decode()
        assert "Nothing chosen yet" in page

    def test_parts_gives_each_side_its_id_and_can_be_undone(self, somchai: Profile, as_steward: Client) -> None:
        form = {"record": record("C1").pk, "reason": "คนละคนกัน"}
        response = as_steward.post(unmerge_url(somchai), form)
        assert response.url == reverse("profiles:customer", args=[somchai.public_id])
        parted = record("C1").birth_profile
        assert parted.state == "live"
        page = as_steward.get(reverse("profiles:customer", args=[parted.public_id])).content.decode()
        assert "สถาปนิก" in page

        as_steward.post(undo_url(response))
        parted.refresh_from_db()
        assert parted.redirect_to == somchai

    def test_a_reason_is_asked_for(self, somchai: Profile, as_steward: Client) -> None:
        response = as_steward.post(unmerge_url(somchai), {"record": record("C1").pk, "reason": ""})
        assert response.status_code == 422
        assert record("C1").birth_profile.state == "redirected"

    def test_asks_with_whom_notes_go_that_were_written_about_both(
        self, somchai: Profile, as_steward: Client, steward: User
    ) -> None:
        notes.add(profile=somchai, text="เป็นของใคร", by=steward)
        agent_record = SourceRecord.objects.get(kind="agent")
        page = as_steward.get(unmerge_url(somchai), {"record": record("C1").pk}).content.decode()
        assert f'name="notes_{agent_record.pk}"' in page
        form = {"record": record("C1").pk, "reason": "x", f"notes_{agent_record.pk}": record("C1").pk}
        as_steward.post(unmerge_url(somchai), form)
        assert Note.objects.get().profile == record("C1").birth_profile
