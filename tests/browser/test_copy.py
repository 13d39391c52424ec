"""The copy of a person's data in a real browser: compliance makes the link, the person fetches the file on a phone."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import Role, User
from consent import requests
from consent.models import DataSubjectRequest
from consent.requests import carrying_out
from profiles.models import Profile
from tests.browser.conftest import Console
from tests.factories.consent import ask

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_a_person_fetches_the_copy_once(
    page: Page,
    console: Console,
    somchai: Profile,
    log_in: LogIn,
    compliance: User,
    make_user: Callable[..., User],
    tmp_path: Path,
) -> None:
    console.allow("status of 4(22|04)")  # a wrong code; the link once it is used
    asked = ask(somchai, compliance, kind=DataSubjectRequest.Kind.ACCESS)
    requests.approve(request_id=asked.pk, by=make_user(Role.COMPLIANCE, name="colleague"))
    carrying_out.run(asked.pk)
    log_in(compliance)
    page.goto(reverse("consent:request", args=[asked.pk]))
    page.locator("a[href$='/package/']").click()
    page.locator("form[action$='/link/'] button").first.click()
    link = page.locator("dd.whole-key").inner_text().strip()
    code = re.sub(r"\D", "", page.locator("dd.mono:not(.whole-key)").inner_text())
    assert fits(page)

    page.context.clear_cookies()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(link)
    expect(page.locator("#code")).to_be_visible()
    assert fits(page)
    page.locator("#code").fill("00000000" if code != "00000000" else "00000001")
    page.locator("main form button").click()
    expect(page.locator("[role=alert]")).to_be_visible()
    page.locator("#code").fill(code)
    with page.expect_download() as download:
        page.locator("main form button").click()
    file = tmp_path / "copy.zip"
    download.value.save_as(file)
    with zipfile.ZipFile(file) as copy:
        assert "สมชาย" in copy.read("copy-th.html").decode()
    page.goto(link)
    expect(page.locator("#code")).to_have_count(0)
    expect(page.locator(".notice-warn")).to_be_visible()
