"""Notes on a customer: who may write and read them, and where they sit."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.access import scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import AuditEvent, User
from profiles import masking, merging, notes
from profiles.models import Note, NoteDraft, Profile, SourceRecord

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def add_url(profile: Profile) -> str:
    return reverse("profiles:add_note", args=[profile.public_id])


def test_a_note_sits_on_an_agent_record_tied_to_the_anchor(somchai: Profile, login: Login, agent: User) -> None:
    client = login(agent)
    for text in ("ขอให้ส่งช่วงเย็น", "โทรกลับพรุ่งนี้"):
        response = client.post(add_url(somchai), {"text": text}, headers=HTMX)
        assert response.status_code == 200
        assert text in response.content.decode()
    record = SourceRecord.objects.get(kind="agent")
    assert record.tied_to == somchai.birth_record
    assert set(Note.objects.values_list("record", "profile", "author", "department")) == {
        (record.pk, somchai.pk, agent.pk, agent.department_id)
    }
    record.birth_profile.refresh_from_db()
    assert record.birth_profile.redirect_to == somchai


def test_the_audit_names_the_field_and_not_the_words(somchai: Profile, agent: User) -> None:
    note = notes.add(profile=somchai, text="ความลับ", by=agent)
    event = AuditEvent.objects.get(action="note.add")
    assert (event.target_id, event.fields, event.actor) == (str(note.pk), ["text"], f"user:{agent.pk}")


@pytest.mark.parametrize("text", ["", "   ", "x" * 4001])
def test_a_note_that_cannot_be_kept_comes_back_as_a_form(
    text: str, somchai: Profile, login: Login, agent: User
) -> None:
    response = login(agent).post(add_url(somchai), {"text": text}, headers=HTMX)
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    assert not Note.objects.exists()


def test_without_htmx_the_page_comes_back(somchai: Profile, login: Login, agent: User) -> None:
    response = login(agent).post(add_url(somchai), {"text": "x"})
    assert response.url == reverse("profiles:customer", args=[somchai.public_id])


def test_roles_without_the_permission_cannot_write(
    somchai: Profile, login: Login, marketer: User, outsider: User
) -> None:
    for user in (marketer, outsider):
        assert login(user).post(add_url(somchai), {"text": "x"}).status_code == 404
    page = login(marketer).get(reverse("profiles:notes", args=[somchai.public_id])).content.decode()
    assert "<textarea" not in page


def test_a_department_reads_its_own_notes(
    somchai: Profile, login: Login, agent: User, marketer: User, steward: User
) -> None:
    notes.add(profile=somchai, text="เฉพาะทีมบริการ", by=agent)
    path = reverse("profiles:notes", args=[somchai.public_id])
    assert "เฉพาะทีมบริการ" in login(agent).get(path).content.decode()
    assert "เฉพาะทีมบริการ" in login(steward).get(path).content.decode()
    assert "เฉพาะทีมบริการ" not in login(marketer).get(path).content.decode()


def draft_url(profile: Profile) -> str:
    return reverse("profiles:keep_draft", args=[profile.public_id])


def notes_page(client: Client, profile: Profile) -> str:
    return client.get(reverse("profiles:notes", args=[profile.public_id]), headers=HTMX).content.decode()


class TestDisposition:
    def test_says_what_came_of_the_contact(self, somchai: Profile, login: Login, agent: User) -> None:
        html = login(agent).post(add_url(somchai), {"text": "x", "disposition": "call_back"}, headers=HTMX).content
        assert Note.objects.get().disposition == "call_back"
        assert '<span class="badge badge-line">Call back</span>' in html.decode()
        assert AuditEvent.objects.get(action="note.add").fields == ["disposition", "text"]

    def test_is_one_of_the_list(self, somchai: Profile, login: Login, agent: User) -> None:
        response = login(agent).post(add_url(somchai), {"text": "x", "disposition": "shouted"}, headers=HTMX)
        assert response.status_code == 422
        with pytest.raises(MendableError):
            notes.add(profile=somchai, text="x", disposition="shouted", by=agent)
        assert not Note.objects.exists()


class TestDraft:
    def test_is_there_again_when_the_page_is_loaded_again(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        kept = client.post(draft_url(somchai), {"text": "ลูกค้าถามเรื่อง", "disposition": "call_back"}, headers=HTMX)
        assert "Draft kept" in kept.content.decode()
        html = notes_page(login(agent), somchai)
        assert "ลูกค้าถามเรื่อง</textarea>" in html
        assert '<option value="call_back" selected>' in html

    def test_is_the_writers_alone(self, somchai: Profile, login: Login, agent: User, steward: User) -> None:
        notes.keep_draft(profile=somchai, text="ยังไม่แน่ใจ", disposition="", by=agent)
        assert "ยังไม่แน่ใจ" not in notes_page(login(steward), somchai)

    def test_ends_with_the_note_and_when_it_is_emptied(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        client.post(draft_url(somchai), {"text": "ก", "disposition": ""}, headers=HTMX)
        client.post(add_url(somchai), {"text": "กข"}, headers=HTMX)
        assert not NoteDraft.objects.exists()
        client.post(draft_url(somchai), {"text": "ค", "disposition": ""}, headers=HTMX)
        assert client.post(draft_url(somchai), {"text": " ", "disposition": ""}, headers=HTMX).content.strip() == b""
        assert not NoteDraft.objects.exists()

    def test_that_comes_behind_its_own_note_is_none(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        client.post(add_url(somchai), {"text": "เรียบร้อย"}, headers=HTMX)
        client.post(draft_url(somchai), {"text": "เรียบร้อย ", "disposition": ""}, headers=HTMX)
        assert not NoteDraft.objects.exists()

    def test_goes_with_the_person_through_merge_and_unmerge(
        self, somchai: Profile, manee: Profile, steward: User
    ) -> None:
        notes.keep_draft(profile=manee, text="จำไว้", disposition="", by=steward)
        merged = merging.merge(profiles=[somchai, manee], by=steward, reason="")
        (one,) = merged.profiles
        assert notes.draft(one, by=steward) == NoteDraft.objects.get()
        notes.keep_draft(profile=one, text="จำไว้นะ", disposition="", by=steward)
        assert NoteDraft.objects.get().text == "จำไว้นะ"
        merging.revert(operation=merged.operation, by=steward, reason="")
        assert notes.draft(somchai, by=steward) is None
        assert notes.draft(manee, by=steward) == NoteDraft.objects.get()

    def test_that_is_too_long_is_not_kept_and_not_told_yet(self, somchai: Profile, login: Login, agent: User) -> None:
        response = login(agent).post(draft_url(somchai), {"text": "x" * 4001, "disposition": ""}, headers=HTMX)
        assert (response.status_code, response.content.strip()) == (200, b"")
        assert not NoteDraft.objects.exists()

    def test_is_forgotten_after_two_weeks(self, somchai: Profile, manee: Profile, steward: User) -> None:
        notes.keep_draft(profile=somchai, text="x", disposition="", by=steward)
        NoteDraft.objects.update(at=timezone.now() - notes.DRAFTS_KEPT)
        notes.keep_draft(profile=manee, text="y", disposition="", by=steward)
        assert NoteDraft.objects.get().text == "y"

    def test_is_not_for_who_cannot_write(
        self, somchai: Profile, manee: Profile, login: Login, marketer: User, outsider: User, agent: User
    ) -> None:
        for user in (marketer, outsider):
            assert login(user).post(draft_url(somchai), {"text": "x"}).status_code == 404
        assert login(agent).post(draft_url(manee), {"text": "x"}).status_code == 404
        assert not NoteDraft.objects.exists()


def test_numbers_in_a_note_are_masked_for_a_customer_who_is_not_open(
    somchai: Profile, login: Login, agent: User, steward: User
) -> None:
    notes.add(profile=somchai, text="โทร 086-345-1972 ได้", by=agent)
    assert "086-345-1972" not in notes_page(login(agent), somchai)
    assert "086-345-1972" in notes_page(login(steward), somchai)


def test_the_panel_costs_few_queries(
    somchai: Profile, login: Login, agent: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    notes.keep_draft(profile=somchai, text="x", disposition="", by=agent)
    for text in "abc":
        notes.add(profile=somchai, text=text, by=agent)
    user = User.objects.get(pk=agent.pk)
    scope_of(user)
    masking.shows_identifiers(user, somchai.pk)
    with django_assert_max_num_queries(2):
        assert len(list(notes.visible(somchai, to=user))) == 3
        notes.draft(somchai, by=user)
