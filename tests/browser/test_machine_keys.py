"""Keys for programs in a real browser: made, shown this once, rotated, revoked; and their pages in every look."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cdp_site.core.errors import AuthenticationProblem
from cdp_site.core.machines import keys
from cdp_site.core.models import Department, MachineKey, User

pytestmark = pytest.mark.django_db(transaction=True)

LogIn = Callable[[User], None]


@pytest.mark.usefixtures("look")
def test_the_pages_are_accessible_in_every_look(
    page: Page, log_in: LogIn, assert_accessible: Callable[[Page], None], *, admin: User, care: Department
) -> None:
    former, _text = keys.make(name="Website", scopes=["profiles:read"], department=care, days=9, by="system:test")
    keys.rotate(key=former, by="system:test")
    log_in(admin)
    for path in ("/access/keys/", "/access/keys/new/"):
        page.goto(path)
        assert_accessible(page)


def test_a_key_is_made_rotated_and_revoked(page: Page, log_in: LogIn, *, admin: User, care: Department) -> None:
    log_in(admin)
    page.goto("/access/")
    page.locator("a[href='/access/keys/']").click()
    page.locator("a[href='/access/keys/new/']").first.click()
    page.locator("#id_name").fill("เว็บไซต์")
    page.locator("input[value='profiles:read']").check()
    page.locator("#id_department").select_option(str(care.pk))
    page.locator("#id_name").press("Enter")
    shown = page.locator(".whole-key")
    expect(shown).to_have_text(re.compile("key_.{43}"))
    first = shown.inner_text()
    row = keys.verify(first)
    assert (row.name, row.scopes, row.department) == ("เว็บไซต์", ["profiles:read"], care)

    page.goto("/access/keys/")
    expect(page.locator("main")).not_to_contain_text(first)
    page.locator("tbody summary").click()
    page.locator(f"button[data-dialog='rotate-{row.pk}']").click()
    page.locator(f"#rotate-{row.pk} button.btn-primary").click()
    expect(shown).to_have_text(re.compile("key_.{43}"))
    second = shown.inner_text()
    rotated = keys.verify(second)
    assert rotated.replaces == row
    assert keys.verify(first) == row, "for another day"

    page.goto("/access/keys/")
    page.locator("tbody tr").first.locator("summary").click()
    page.locator(f"button[data-dialog='revoke-{rotated.pk}']").click()
    page.locator(f"#revoke-{rotated.pk} button.btn-danger").click()
    expect(page.locator("tbody tr").first).to_contain_text(re.compile("Revoked|เพิกถอนแล้ว"))
    with pytest.raises(AuthenticationProblem):
        keys.verify(second)
    assert MachineKey.objects.count() == 2


def test_the_list_is_no_wider_than_a_phone(page: Page, log_in: LogIn, *, admin: User) -> None:
    keys.make(name="Data warehouse", scopes=["segments:read"], department=None, days=90, by="system:test")
    log_in(admin)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/access/keys/", "/access/keys/new/"):
        page.goto(path)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), path
