"""An agent changes values where they stand, by keyboard alone, beside a colleague on the same page."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from cdp_site.core.models import User
from profiles import presence
from profiles.editing import changing, fields
from profiles.models import AgentEdit, Note, NoteDraft, Presence, Profile
from tests.browser.conftest import Console

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]


def open_page(page: Page, profile: Profile) -> None:
    page.goto(reverse("profiles:customer", args=[profile.public_id]))
    expect(page.locator("#notes")).to_be_visible()


def pencil(page: Page, trait: str) -> Locator:
    return page.locator(f".edit-open[data-trait={trait}]")


def start(page: Page, trait: str) -> Locator:
    """Open the form of a value by keyboard."""
    pencil(page, trait).focus()
    page.keyboard.press("Enter")
    typed = page.locator(f"#edit [name=trait-{trait}]")
    expect(typed).to_be_focused()
    return typed


def value(page: Page, trait: str) -> Locator:
    return page.locator(".attribute", has=pencil(page, trait)).locator(".values").first


def stay(profile: Profile, *, by: User, trait: str = "") -> None:
    """A colleague has the page open, however long this browser takes."""
    presence.look(profile, by=by, trait=trait)
    Presence.objects.filter(user=by).update(seen_at=timezone.now() + timedelta(hours=1))


def change(profile: Profile, *, by: User, **said: str) -> None:
    """A colleague does, elsewhere."""
    (trait,) = said
    seen = fields.load(profile, trait, by=by)
    assert seen is not None
    changing.change(profile=profile, trait=trait, said=said, version=seen.version, by=by)


def test_enter_saves_escape_leaves_and_undo_takes_back(
    page: Page, somchai: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    open_page(page, somchai)
    start(page, "occupation").fill("ครู")
    page.keyboard.press("Escape")
    expect(page.locator("#edit")).to_have_count(0)
    expect(pencil(page, "occupation")).to_be_focused()
    expect(value(page, "occupation")).to_have_text("สถาปนิก")

    start(page, "occupation").fill("ครู")
    page.keyboard.press("Enter")
    expect(value(page, "occupation")).to_have_text("ครู")
    expect(pencil(page, "occupation")).to_be_focused()
    undo = page.locator("#toasts form button")
    expect(undo).to_be_visible()
    undo.press("Enter")
    expect(value(page, "occupation")).to_have_text("สถาปนิก")
    assert AgentEdit.objects.get().undone_at is not None


def test_a_new_name_stands_above_the_page_at_once(page: Page, somchai: Profile, log_in: LogIn, agent: User) -> None:
    log_in(agent)
    open_page(page, somchai)
    start(page, "last_name").fill("รักไทย")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("นายสมชาย รักไทย")


def test_a_number_of_somebody_else_is_told_before_it_is_saved(
    page: Page, console: Console, somchai: Profile, manee: Profile, log_in: LogIn, steward: User
) -> None:
    console.allow("status of 422")
    log_in(steward)
    open_page(page, somchai)
    start(page, "email").fill("manee@baansabai.co.th")
    expect(page.locator("#edit .effects")).to_contain_text("มานี มีนา")
    page.keyboard.press("Enter")
    expect(value(page, "email")).to_have_text("manee@baansabai.co.th")


def test_what_cannot_be_kept_is_told_in_its_field(
    page: Page, console: Console, somchai: Profile, log_in: LogIn, agent: User
) -> None:
    console.allow("status of 422")
    log_in(agent)
    open_page(page, somchai)
    start(page, "phone").fill("12")
    page.keyboard.press("Enter")
    expect(page.locator("#edit .problem")).to_be_visible()
    expect(page.locator("#edit [name=trait-phone]")).to_have_attribute("aria-invalid", "true")


def test_two_see_each_other_and_choose_between_both_values(
    page: Page, console: Console, somchai: Profile, log_in: LogIn, agent: User, steward: User
) -> None:
    console.allow("status of 409")
    log_in(agent)
    stay(somchai, by=steward, trait="occupation")
    open_page(page, somchai)
    expect(page.locator("#presence-others")).to_contain_text("steward")
    start(page, "occupation").fill("วิศวกร")
    change(somchai, by=steward, occupation="ครู")
    page.keyboard.press("Enter")
    expect(page.locator("#edit.edit-choice")).to_contain_text("steward")
    expect(page.locator("#edit.edit-choice")).to_contain_text("ครู")
    page.locator("#edit-occupation-mine").check()
    page.locator("#edit .btn-primary").press("Enter")
    expect(value(page, "occupation")).to_have_text("วิศวกร")


def test_what_a_colleague_changed_comes_without_loading_the_page(
    page: Page, somchai: Profile, log_in: LogIn, agent: User, steward: User
) -> None:
    log_in(agent)
    open_page(page, somchai)
    change(somchai, by=steward, occupation="ครู")
    show = page.locator(".presence-news button")
    expect(show).to_be_visible()
    show.press("Enter")
    expect(value(page, "occupation")).to_have_text("ครู")
    expect(page.locator(".presence-news")).to_have_count(0)


def test_a_draft_outlives_the_page_and_ends_with_the_note(
    page: Page, somchai: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    open_page(page, somchai)
    page.keyboard.press("KeyN")
    expect(page.locator("#notes textarea")).to_be_focused()
    page.keyboard.type("ลูกค้าถามขนาด")
    page.locator("#notes select").select_option("call_back")
    expect(page.locator(".draft-kept")).not_to_be_empty()
    page.reload()
    expect(page.locator("#notes textarea")).to_have_value("ลูกค้าถามขนาด")
    expect(page.locator("#notes select")).to_have_value("call_back")
    page.locator("#notes textarea").press("Control+Enter")
    expect(page.locator(".note-list")).to_contain_text("ลูกค้าถามขนาด")
    expect(page.locator("#notes textarea")).to_have_value("")
    assert Note.objects.get().disposition == "call_back"
    assert not NoteDraft.objects.exists()
    kept_in_the_browser = page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
    assert "ลูกค้า" not in kept_in_the_browser


@pytest.mark.usefixtures("look")
def test_forms_are_accessible(
    page: Page,
    console: Console,
    somchai: Profile,
    log_in: LogIn,
    agent: User,
    steward: User,
    assert_accessible: Callable[[Page], None],
) -> None:
    console.allow("status of 409")
    log_in(agent)
    stay(somchai, by=steward)
    open_page(page, somchai)
    expect(page.locator("#presence-others li")).to_have_count(1)
    start(page, "last_name")
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.locator(".edit-add-place .edit-open").press("Enter")
    expect(page.locator("#edit-add-trait")).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Escape")
    start(page, "occupation").fill("วิศวกร")
    change(somchai, by=steward, occupation="ครู")
    page.keyboard.press("Enter")
    expect(page.locator("#edit.edit-choice")).to_be_visible()
    assert_accessible(page)
