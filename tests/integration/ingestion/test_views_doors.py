"""The page on which a steward says who may send to a source, and what the keys' card and the guide make of it."""

import pytest
from django.urls import reverse

from cdp_site.core.models import AuditEvent
from ingestion import keys, sources
from ingestion.models import Source

pytestmark = pytest.mark.django_db

SHOP = "https://shop.example.com"


@pytest.fixture
def path(web_shop: Source) -> str:
    return reverse("ingestion:source_doors", args=[web_shop.pk])


def test_a_steward_sets_both_and_it_is_audited(login, steward, web_shop, path):
    form = {"allowed_origins": f"{SHOP}\n\n http://localhost:3000 \n{SHOP}", "rate_per_second": "200"}

    assert login(steward).post(path, form).status_code == 302

    web_shop.refresh_from_db()
    assert (web_shop.allowed_origins, web_shop.rate_per_second) == ([SHOP, "http://localhost:3000"], 200)
    event = AuditEvent.objects.get(action="source.change")
    assert sorted(event.fields) == ["allowed_origins", "rate_per_second"]


def test_both_may_be_empty_and_nothing_is_written_twice(login, steward, web_shop, path):
    sources.set_doors(source=web_shop, allowed_origins=[SHOP], rate_per_second=5, by="system:test")
    client = login(steward)
    for _ in range(2):
        assert client.post(path, {"allowed_origins": "", "rate_per_second": ""}).status_code == 302

    web_shop.refresh_from_db()
    assert (web_shop.allowed_origins, web_shop.rate_per_second) == ([], None)
    assert AuditEvent.objects.filter(action="source.change").count() == 2


@pytest.mark.parametrize(
    "wrong",
    ["shop.example.com", f"{SHOP}/", f"{SHOP}:443", "http://shop.example.com:80", "https://Shop.example.com", "*",
     "ftp://shop.example.com", "null", f"{SHOP} {SHOP}"],
)  # fmt: skip
def test_what_no_browser_sends_as_an_origin_is_said(login, steward, path, web_shop, wrong):
    answer = login(steward).post(path, {"allowed_origins": wrong})

    assert answer.status_code == 422
    web_shop.refresh_from_db()
    assert web_shop.allowed_origins == []


@pytest.mark.parametrize("rate", ["0", "-1", "many", "1000001"])
def test_a_rate_is_a_positive_number(login, steward, path, rate):
    assert login(steward).post(path, {"rate_per_second": rate}).status_code == 422


def test_nobody_else_may(login, marketer, agent, outsider, client, path):
    for user in (marketer, agent, outsider):
        assert login(user).get(path).status_code == 404
        assert login(user).post(path, {"allowed_origins": SHOP}).status_code == 404
    assert client.get(path).status_code == 302


def test_the_platforms_own_source_has_no_door(login, steward):
    own = Source.objects.get(kind=Source.Kind.INTERNAL)

    assert login(steward).get(reverse("ingestion:source_doors", args=[own.pk])).status_code == 404


class TestShown:
    def page(self, login, steward, web_shop) -> str:
        return login(steward).get(reverse("ingestion:source", args=[web_shop.pk])).content.decode()

    def test_the_sources_page_says_who_may_send(self, login, steward, web_shop, path):
        assert SHOP not in self.page(login, steward, web_shop)
        sources.set_doors(source=web_shop, allowed_origins=[SHOP], rate_per_second=1234, by="system:test")

        page = self.page(login, steward, web_shop)

        assert SHOP in page
        assert "1,234" in page
        assert path in page

    @pytest.mark.parametrize("access", ["public", "secret"])
    def test_a_new_key_stands_in_the_guide_where_it_belongs(self, login, steward, web_shop, access):
        answer = login(steward).post(reverse("ingestion:keys", args=[web_shop.pk]), {"access": access})

        page = answer.content.decode()
        key = page.split('class="whole-key" tabindex="0">')[1].split("<")[0]
        assert (f'data-key="{key}"' in page) == (access == "public")
        assert (f"analytics.write_key = &quot;{key}&quot;" in page or f'analytics.write_key = "{key}"' in page) == (
            access == "secret"
        )
        assert keys.verify(key).is_public == (access == "public")
