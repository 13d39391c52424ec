"""cdp.js on a shop's page of another origin, in a real browser: what arrives, what waits, and what is never sent."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from ingestion import keys
from ingestion.models import InboundBatch, Source
from profiles import digest
from profiles.models import Membership, SourceRecord, Touchpoint
from tests.browser.conftest import Console
from tests.waiting import wait_for

Shop = Callable[..., str]
STUB = "window.cdp = window.cdp || function () { (cdp.q = cdp.q || []).push(arguments) };"
PAGE = """<!doctype html><html lang="th"><head><meta charset="utf-8"><title>เสื้อยืด</title><link rel="icon" href="data:,">
<script>{stub}{early}</script><script async src="{platform}/cdp.js" data-key="{key}" {options}></script></head>
<body><h1>เสื้อยืด</h1><a href="/next">next</a></body></html>"""


@pytest.fixture
def shop(live_server: LiveServer, web_shop: Source) -> Iterator[Shop]:
    """A web server of the shop's own, whose pages load the snippet. Call it with the snippet's attributes; returns the
    address of a page."""
    pages = {"html": ""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages["html"].encode())

        def log_message(self, *args: Any) -> None:
            """The requests of a test are nobody's business."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        web_shop.allowed_origins = [origin]
        web_shop.save()
        key = keys.make(source=web_shop, by="system:test", is_public=True)[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()

        def serve(options: str = "", *, early: str = "") -> str:
            pages["html"] = PAGE.format(stub=STUB, early=early, platform=live_server.url, key=key, options=options)
            return f"{origin}/shirts?utm_source=line&utm_campaign=rainy#top"

        yield serve
        server.shutdown()
        thread.join()


IMPLIED, REQUIRED = 'data-consent="implied"', 'data-consent="required"'


def landed() -> list[dict[str, Any]]:
    """All messages that the platform has acknowledged, in the order in which they were made."""
    batches = InboundBatch.objects.filter(raw__isnull=False).values_list("raw", flat=True)
    found = {item["messageId"]: item for raw in batches for item in json.loads(bytes(raw))}
    return sorted(found.values(), key=lambda item: item["originalTimestamp"])


def named(items: list[dict[str, Any]]) -> list[str]:
    return [item.get("event") or item["type"] for item in items]


def arrived(*names: str) -> list[dict[str, Any]]:
    """Wait until these, and no others, have arrived."""
    wait_for(lambda: sorted(named(landed())) == sorted(names))
    return landed()


def empties(page: Page) -> None:
    """Wait until all is acknowledged. Asking the page lets Playwright serve its routes meanwhile."""
    wait_for(lambda: stored(page, "cdp.m.") == [])


def stored(page: Page, start: str = "cdp.") -> list[str]:
    names: list[str] = page.evaluate("Object.keys(localStorage)")
    return [name for name in names if name.startswith(start)]


def test_what_a_visitor_does_arrives_and_is_one_person(page: Page, shop: Shop, web_shop: Source) -> None:
    page.goto(shop(IMPLIED, early='cdp("track", "Product Viewed", {sku: "A1", color: "แดง"});'))
    viewed = arrived("page", "Product Viewed")
    page.evaluate('cdp("identify", "u-1", {firstName: "สุดา"}); cdp("group", "acme"); cdp("track", "Product Added")')
    arrived("page", "Product Viewed", "identify", "group", "Product Added")

    assert len({item["anonymousId"] for item in viewed}) == 1
    assert viewed[0]["properties"]["path"] == "/shirts"
    assert "utm_source" not in viewed[0]["properties"]["url"]
    digest.drain()
    person = Membership.objects.get(record=SourceRecord.objects.get(external_id="u-1"), valid_to=None).profile
    touched = Touchpoint.objects.filter(profile=person)
    assert set(touched.values_list("type__name", flat=True)) == {"Page Viewed", "Product Viewed", "Product Added"}
    properties = touched.get(type__name="Product Viewed").properties
    assert properties["color"] == "แดง"
    assert (properties["campaign_source"], properties["campaign_name"]) == ("line", "rainy")
    assert person.golden["first_name"] == "สุดา"
    expect(page.get_by_role("heading")).to_have_text("เสื้อยืด")
    empties(page)


def test_the_visitor_stays_the_same_over_pages_until_reset(page: Page, shop: Shop) -> None:
    page.goto(shop(IMPLIED))
    arrived("page")
    page.get_by_role("link").click()
    page.wait_for_url("**/next")
    first, second = arrived("page", "page")
    assert first["anonymousId"] == second["anonymousId"]

    page.evaluate('cdp("reset"); cdp("track", "Signed Out")')
    assert arrived("page", "page", "Signed Out")[-1]["anonymousId"] != first["anonymousId"]


class TestConsent:
    def test_before_a_yes_nothing_is_stored_or_sent(self, page: Page, shop: Shop) -> None:
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request) if "/v1/" in request.url else None)
        page.goto(shop(REQUIRED, early='cdp("identify", "u-1"); cdp("track", "Product Viewed");'))
        page.wait_for_load_state("networkidle")

        assert asked == []
        assert stored(page) == []

        page.evaluate('cdp("consent", true)')
        items = arrived("page", "identify", "Product Viewed")
        assert items[-1]["userId"] == "u-1"

    def test_a_no_forgets_the_visitor_and_lasts(self, page: Page, shop: Shop) -> None:
        page.goto(shop(IMPLIED))
        arrived("page")

        page.evaluate('cdp("consent", false); cdp("track", "Product Viewed")')
        page.reload()
        page.evaluate('cdp("track", "Product Viewed")')
        page.wait_for_load_state("networkidle")

        assert stored(page) == ["cdp.consent"]
        assert named(landed()) == ["page"]

    def test_without_an_attribute_consent_is_required(self, page: Page, shop: Shop) -> None:
        page.goto(shop())
        page.wait_for_load_state("networkidle")

        assert stored(page) == []
        assert not InboundBatch.objects.exists()


class TestGlobalPrivacyControl:
    @pytest.fixture(autouse=True)
    def _is_on(self, context: BrowserContext) -> None:
        context.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")

    def test_it_asks_for_a_yes_where_none_was_needed(self, page: Page, shop: Shop) -> None:
        page.goto(shop(IMPLIED))
        page.wait_for_load_state("networkidle")

        assert stored(page) == []
        page.evaluate('cdp("consent", true)')
        arrived("page")

    def test_what_it_stands_for_is_refused_once(self, page: Page, shop: Shop) -> None:
        page.goto(shop(f'{IMPLIED} data-gpc="marketing:email analytics:push"', early='cdp("consent", true);'))
        arrived("Consent Refused", "Consent Refused", "page")
        page.reload()
        items = arrived("Consent Refused", "Consent Refused", "page", "page")

        said = [item["properties"] for item in items if item.get("event")]
        assert {(one["purpose"], one["channel"]) for one in said} == {("marketing", "email"), ("analytics", "push")}
        assert digest.drain().counts["quarantined"] == 0


class TestTrouble:
    @pytest.mark.intercepts
    def test_a_503_is_tried_again_when_it_asks_for_it(self, page: Page, shop: Shop, console: Console) -> None:
        console.allow("503")
        refused: list[float] = []

        def refuse_once(route: Route) -> None:
            if refused:
                route.continue_()
                return
            refused.append(1)
            headers = {
                "Access-Control-Allow-Origin": route.request.headers["origin"],
                "Access-Control-Expose-Headers": "Retry-After",
                "Retry-After": "1",
            }
            route.fulfill(status=503, headers=headers, json={})

        page.route("**/v1/batch", refuse_once)
        page.goto(shop(IMPLIED))

        empties(page)
        arrived("page")
        assert refused

    def test_what_happens_offline_is_sent_later_also_from_another_page(
        self, page: Page, context: BrowserContext, shop: Shop, console: Console
    ) -> None:
        console.allow("ERR_INTERNET_DISCONNECTED")
        page.goto(shop(IMPLIED))
        arrived("page")
        empties(page)
        context.set_offline(True)
        with page.expect_event("requestfailed"):
            page.evaluate('cdp("track", "Product Viewed")')
        assert len(stored(page, "cdp.m.")) == 1
        context.set_offline(False)
        page.get_by_role("link").click()
        page.wait_for_url("**/next")

        arrived("page", "Product Viewed", "page")

    def test_a_page_that_closes_sends_what_it_has(self, page: Page, context: BrowserContext, shop: Shop) -> None:
        page.goto(shop(IMPLIED))
        arrived("page")

        page.evaluate('cdp("track", "Closed")')
        page.close(run_before_unload=True)

        arrived("page", "Closed")

    def test_two_tabs_lose_nothing_and_send_nothing_twice(
        self, context: BrowserContext, shop: Shop, web_shop: Source
    ) -> None:
        address = shop(IMPLIED)
        one, other = context.new_page(), context.new_page()
        for tab in (one, other):
            tab.goto(address)
        for number in range(20):
            for tab in (one, other):
                tab.evaluate(f'cdp("track", "Step {number}")')
        wait_for(lambda: len(landed()) == 42)

        assert len({item["anonymousId"] for item in landed()}) == 1
        digest.drain()
        assert Touchpoint.objects.count() == 42

    def test_a_page_that_is_not_allowed_is_kept_out(
        self, page: Page, shop: Shop, web_shop: Source, console: Console
    ) -> None:
        console.allow("CORS policy|ERR_FAILED|403")
        address = shop(IMPLIED)
        web_shop.allowed_origins = ["https://shop.example.com"]
        web_shop.save()
        with page.expect_event("requestfailed"):
            page.goto(address)

        assert len(stored(page, "cdp.m.")) == 1
        assert not InboundBatch.objects.exists()
