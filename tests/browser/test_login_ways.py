"""The ways in, in a real browser: passkeys, codes, and saying again who one is on the way to an export."""

import base64
import hashlib
import hmac
import re
import struct
import time
from collections.abc import Callable

import pytest
from allauth.core import context as allauth_context
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect

from cdp_site.core.models import User
from ingestion.models import Source
from segments import authoring
from tests.browser.conftest import Console
from tests.customers import Tell, identify, track

LogIn = Callable[[User], None]
Accessible = Callable[[Page], None]
PASSWORD = "a-good-one-2569"
SECRET = "JBSWY3DPEHPK3PXP"
VIEWED = {
    "kind": "touchpoint",
    "event": "Product Viewed",
    "count": {"bound": "at_least", "n": 1},
    "window": {"kind": "ever"},
    "filters": [],
}
VIEWERS = {"version": 1, "where": {"kind": "all", "of": [VIEWED]}}


@pytest.fixture
def nok(marketer: User) -> User:
    marketer.set_password(PASSWORD)
    marketer.save()
    return marketer


@pytest.fixture
def authenticator(page: Page, context: BrowserContext) -> None:
    """A computer that keeps passkeys and opens them by fingerprint."""
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def log_in_by_password(page: Page, user: User) -> None:
    page.locator("input[name=username]").fill(user.username)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")


def log_out(page: Page) -> None:
    page.goto(reverse("account"))
    page.locator(".top-bar details.menu > summary").last.click()
    page.locator(f"form[action='{reverse('logout')}'] button").click()
    expect(page.locator("input[name=password]")).to_be_visible()


def log_in_long_ago() -> None:
    """Every session was logged in to an hour ago and used since."""
    for session in Session.objects.all():
        store = session.get_session_store_class()(session.session_key)
        store["login_fresh_at"] = time.time() - 3600
        store.save()


def code() -> str:
    digest = hmac.digest(base64.b32decode(SECRET), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def test_a_passkey_is_added_and_opens_the_account_without_a_password(
    page: Page, nok: User, log_in: LogIn, authenticator: None
) -> None:
    log_in(nok)
    page.goto(reverse("account"))
    page.locator(f"a[href='{reverse('mfa_add_webauthn')}']").click()
    page.locator("input[name=name]").fill("โน้ตบุ๊ก")
    page.locator("input[name=name]").press("Enter")
    expect(page.locator(".codes li")).to_have_count(10)
    page.goto(reverse("account"))
    expect(page.locator(".own-keys li")).to_contain_text("โน้ตบุ๊ก")

    log_out(page)
    page.locator("form[data-passkey] button").press("Enter")
    expect(page.locator(".side-nav")).to_be_visible()

    log_out(page)
    log_in_by_password(page, nok)
    page.locator("form[data-passkey] button").press("Enter")
    expect(page.locator(".side-nav")).to_be_visible()


def test_on_the_way_to_an_export_one_says_again_who_one_is(
    page: Page, nok: User, log_in: LogIn, console: Console, tell: Tell, web_shop: Source
) -> None:
    tell(web_shop, identify("v1", email="v1@baansabai.co.th"))
    tell(web_shop, track("v1", "Product Viewed", color="red", price=1))
    console.allow("status of (403|422)")
    segment = authoring.create(name="Viewers", description="", department=nok.department, definition=VIEWERS, by=nok)
    log_in(nok)
    log_in_long_ago()
    page.goto(reverse("segments:segment", args=[segment.pk]))
    page.locator(f"a[href='{reverse('segments:export', args=[segment.pk])}']").first.click()
    dialog = page.locator("#login-again")
    expect(dialog.locator("h2")).to_be_focused()
    dialog.locator("input[type=password]").fill("wrong")
    dialog.locator("input[type=password]").press("Enter")
    expect(dialog.locator("[role=alert]").first).to_be_visible()
    dialog.locator("input[type=password]").fill(PASSWORD)
    dialog.locator("input[type=password]").press("Enter")
    expect(dialog).not_to_be_visible()
    expect(page.locator("#dialog")).to_be_visible()
    expect(page.locator("#dialog form")).to_have_attribute(
        "action", reverse("segments:export_start", args=[segment.pk])
    )


def test_every_page_of_the_login_is_accessible_in_every_look(
    page: Page, nok: User, look: tuple[str, str], assert_accessible: Accessible, authenticator: None
) -> None:
    page.goto("/login/?ended=idle&next=/account/")
    assert_accessible(page)
    log_in_by_password(page, nok)
    page.goto(reverse("account"))
    assert_accessible(page)
    for name in ("account_password", "mfa_activate_totp", "mfa_add_webauthn", "login_again"):
        page.goto(reverse(name))
        expect(page.locator("html")).to_have_attribute("lang", look[0])
        assert_accessible(page)
    with allauth_context.request_context(HttpRequest()):
        TOTP.activate(nok, SECRET)
    page.goto(reverse("mfa_generate_recovery_codes"))
    assert_accessible(page)
    page.locator("main form .btn-primary").click()
    expect(page.locator(".codes li")).to_have_count(10)
    assert_accessible(page)
    log_out(page)
    log_in_by_password(page, nok)
    expect(page.locator("input[name=code]")).to_be_visible()
    assert_accessible(page)
    page.locator("input[name=code]").fill(code())
    page.locator("input[name=code]").press("Enter")
    expect(page.locator("input[name=code]")).to_have_count(0)


def test_a_session_that_is_over_leads_back_to_its_page(page: Page, nok: User, log_in: LogIn) -> None:
    log_in(nok)
    page.goto(reverse("segments:segments"))
    User.objects.filter(pk=nok.pk).update(department=None)
    page.goto(reverse("segments:segments") + "?q=")
    log_in_by_password(page, nok)
    expect(page).to_have_url(re.compile(r"^http://[^/]+/segments/"))
