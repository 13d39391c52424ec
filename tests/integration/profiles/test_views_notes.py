"""Notes on a customer: who may write and read them, and where they sit."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import AuditEvent, User
from profiles import notes
from profiles.models import Note, Profile, SourceRecord

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def in_english(settings: object) -> None:
    settings.LANGUAGE_CODE = "en"  # type: ignore[attr-defined]


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
