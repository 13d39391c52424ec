"""Who may knock, and how often: web pages that a source allows, and its rate."""

import json

import pytest
from django.db import OperationalError
from django.test import Client

from ingestion import keys
from ingestion.models import InboundBatch, SendingRate, Source
from ingestion.tracking import cors, rate_limits
from ingestion.tracking.rate_limits import limiter

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.com"
ELSEWHERE = "https://elsewhere.example.com"
TRACK = {"event": "Product Viewed", "anonymousId": "a1"}


@pytest.fixture
def shop(web_shop: Source) -> Source:
    web_shop.allowed_origins = [SHOP]
    web_shop.save()
    return web_shop


@pytest.fixture
def public(shop: Source) -> str:
    return keys.make(source=shop, by="system:test", is_public=True)[1]


@pytest.fixture
def secret(shop: Source) -> str:
    return keys.make(source=shop, by="system:test")[1]


def post(client: Client, key: str, *, origin: str | None = None, address: str = "track", body: object = None):
    """As a browser without a preflight does: the key in a body of type text/plain."""
    raw = json.dumps((TRACK if body is None else body) | {"writeKey": key}).encode()
    headers = {"Origin": origin} if origin else {}
    return client.post(f"/v1/{address}", raw, content_type="text/plain", headers=headers)


class TestPages:
    def test_an_allowed_page_may_send_and_read_the_answer(self, client, public):
        answer = post(client, public, origin=SHOP)

        assert answer.status_code == 200
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert "Retry-After" in answer["Access-Control-Expose-Headers"]
        assert "Origin" in answer["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer

    def test_another_page_is_refused_with_the_reason(self, client, public):
        answer = post(client, public, origin=ELSEWHERE)

        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in answer
        assert not InboundBatch.objects.exists()

    @pytest.mark.parametrize("origin", ["null", "http://shop.example.com", f"{SHOP}.evil.example", f"{SHOP}:8443"])
    def test_what_only_looks_alike_is_another_page(self, client, public, origin):
        assert post(client, public, origin=origin).status_code == 403

    def test_an_app_sends_no_origin_and_may(self, client, public):
        assert post(client, public).status_code == 200

    def test_a_secret_key_is_kept_in_from_everywhere_and_read_by_no_page(self, client, secret):
        for origin in (SHOP, ELSEWHERE, None):
            answer = post(client, secret, origin=origin)
            assert answer.status_code == 200
            assert "Access-Control-Allow-Origin" not in answer

    def test_a_source_that_lists_no_page_takes_but_lets_none_read(self, client, pos):
        key = keys.make(source=pos, by="system:test", is_public=True)[1]

        answer = post(client, key, origin=ELSEWHERE)

        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer

    def test_one_sources_page_may_not_send_to_another(self, client, shop, pos, public):
        pos.allowed_origins = [ELSEWHERE]
        pos.save()

        assert post(client, public, origin=ELSEWHERE).status_code == 403

    def test_an_allowed_page_reads_what_was_wrong(self, client, public):
        wrong_key = post(client, "pub_wrong", origin=SHOP)
        wrong_call = post(client, public, origin=SHOP, body={"event": 5})

        assert (wrong_key.status_code, wrong_call.status_code) == (401, 400)
        assert wrong_key["Access-Control-Allow-Origin"] == wrong_call["Access-Control-Allow-Origin"] == SHOP
        assert "Access-Control-Allow-Origin" not in post(client, "pub_wrong", origin=ELSEWHERE)

    def test_a_change_is_felt_without_a_restart(self, client, shop, public, monkeypatch):
        monkeypatch.setattr(keys, "CACHE_SECONDS", 0.0)
        assert post(client, public, origin=SHOP).status_code == 200
        shop.allowed_origins = [ELSEWHERE]
        shop.save()

        assert post(client, public, origin=SHOP).status_code == 403
        assert post(client, public, origin=ELSEWHERE).status_code == 200


class TestPreflight:
    def ask(self, client: Client, origin: str | None, address: str = "batch"):
        headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        return client.options(f"/v1/{address}", headers=headers | ({"Origin": origin} if origin else {}))

    @pytest.mark.parametrize("address", ["batch", "b", "import", "track", "t"])
    def test_an_allowed_page_may_ask_for_more(self, client, shop, address):
        answer = self.ask(client, SHOP, address)

        assert (answer.status_code, answer.content) == (204, b"")
        assert answer["Access-Control-Allow-Origin"] == SHOP
        assert answer["Access-Control-Allow-Methods"] == "POST"
        assert "authorization" in answer["Access-Control-Allow-Headers"]
        assert int(answer["Access-Control-Max-Age"]) > 0

    @pytest.mark.parametrize("origin", [ELSEWHERE, "null", None])
    def test_another_page_hears_nothing(self, client, shop, origin):
        answer = self.ask(client, origin)

        assert answer.status_code == 204
        assert not [name for name in answer.headers if name.startswith("Access-Control")]

    def test_a_source_switched_off_allows_no_page(self, client, shop):
        shop.is_active = False
        shop.save()

        assert "Access-Control-Allow-Origin" not in self.ask(client, SHOP)

    def test_many_preflights_cost_one_query(self, client, shop, django_assert_num_queries):
        with django_assert_num_queries(1):
            for _ in range(5):
                self.ask(client, SHOP)
        assert cors.CACHE_SECONDS <= 5


class TestRate:
    @pytest.fixture
    def limited(self, shop: Source) -> Source:
        shop.rate_per_second = 10
        shop.save()
        return shop

    def batch(self, client: Client, key: str, n: int, **headers: str):
        body = {"batch": [{**TRACK, "type": "track"}] * n}
        return client.post("/v1/batch", json.dumps(body), content_type="application/json", headers=headers)

    def test_too_many_are_429_with_retry_after_and_nothing_is_kept(self, client, limited, secret, basic):
        assert self.batch(client, secret, 70, **basic(secret)).status_code == 200

        answer = self.batch(client, secret, 1, **basic(secret))

        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit")
        assert 1 <= int(answer["Retry-After"]) <= 5
        assert answer["X-RateLimit-Reset"] == answer["Retry-After"]
        assert InboundBatch.objects.get().n_items == 70

    def test_the_body_is_not_looked_at(self, client, limited, secret, basic, django_assert_num_queries):
        self.batch(client, secret, 70, **basic(secret))

        with django_assert_num_queries(0):
            answer = client.post("/v1/batch", b"{no json", content_type="application/json", headers=basic(secret))

        assert answer.status_code == 429

    def test_others_go_on(self, client, limited, secret, basic, pos):
        other = keys.make(source=pos, by="system:test")[1]
        self.batch(client, secret, 70, **basic(secret))

        assert self.batch(client, other, 70, **basic(other)).status_code == 200

    def test_both_keys_of_a_source_share_its_rate_over_processes(self, client, limited, secret, public, basic):
        self.batch(client, secret, 70, **basic(secret))
        limiter.forget()  # another process, which has not heard yet

        assert post(client, public, origin=SHOP).status_code == 200
        answer = post(client, public, origin=SHOP)

        assert answer.status_code == 429
        assert answer["Access-Control-Allow-Origin"] == SHOP

    def test_what_cannot_be_used_counts_too(self, client, limited, secret, basic):
        for _ in range(25):
            answer = client.post("/v1/track", b"{}", content_type="application/json", headers=basic(secret))

        assert answer.status_code == 429

    def test_the_platforms_default_holds_for_a_source_without_a_rate(self, client, shop, secret, basic, settings):
        settings.TRACKING_RATE_PER_SECOND = 5
        self.batch(client, secret, 70, **basic(secret))

        assert self.batch(client, secret, 1, **basic(secret)).status_code == 429

    def test_without_any_rate_nothing_is_counted(self, client, secret, basic):
        for _ in range(3):
            assert self.batch(client, secret, 5_000, **basic(secret)).status_code == 200

        assert not SendingRate.objects.exists()

    def test_what_is_kept_is_answered_200_although_the_account_cannot_be_written(
        self, client, limited, secret, basic, monkeypatch
    ):
        def away(*_arguments):
            raise OperationalError("the connection is closed")

        monkeypatch.setattr(limiter, "_charge", away)

        assert self.batch(client, secret, 70, **basic(secret)).status_code == 200
        assert InboundBatch.objects.get().n_items == 70

    def test_the_account_is_charged_with_what_was_sent(self, limited):
        assert rate_limits.charge(limited.pk, 7.0) == pytest.approx(7.0, abs=0.5)
        assert rate_limits.charge(limited.pk, 1.0) == pytest.approx(8.0, abs=0.5)


class TestHistoryAndShortNames:
    def test_history_waits_behind_what_happens_now(self, client, secret, basic):
        client.post(
            "/v1/import", json.dumps({"batch": [TRACK]}), content_type="application/json", headers=basic(secret)
        )

        assert InboundBatch.objects.get().lane == InboundBatch.Lane.BULK

    def test_but_a_withdrawal_in_it_does_not(self, client, secret, basic):
        body = {"batch": [TRACK | {"type": "track", "event": "Consent Withdrawn"}]}
        client.post("/v1/import", json.dumps(body), content_type="application/json", headers=basic(secret))

        assert InboundBatch.objects.get().lane == InboundBatch.Lane.WITHDRAWAL

    @pytest.mark.parametrize(
        ("short", "kind"),
        [("i", "identify"), ("t", "track"), ("p", "page"), ("s", "screen"), ("g", "group"), ("a", "alias")],
    )
    def test_analytics_js_writes_the_first_letter(self, client, public, short, kind):
        body = {"anonymousId": "a1", "userId": "u1", "previousId": "a0", "groupId": "g", "event": "E"}

        assert post(client, public, address=short, body=body).status_code == 200
        assert json.loads(bytes(InboundBatch.objects.get().raw))[0]["type"] == kind

    def test_and_b_for_a_batch(self, client, public):
        assert post(client, public, address="b", body={"batch": [TRACK]}).status_code == 200
        assert InboundBatch.objects.get().n_items == 1
