"""The catalogue: products from a feed and from orders, and the words that mean the same."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent
from ingestion import landing
from ingestion.models import QuarantinedItem
from profiles import catalogue, digest
from profiles.models import Product, Term
from tests.customers import track

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_english(settings):
    settings.LANGUAGE_CODE = "en"
    with translation.override("en"):
        yield


def stated(at: datetime = NOON, **fields: object) -> catalogue.StatedProduct:
    return catalogue.read({"sku": "CH-1", **fields}, namespace="web-shop", at=at)


class TestFeed:
    def test_the_newest_word_about_a_product_wins_in_any_order(self):
        old, new = stated(name="Chair", price="3,990"), stated(NOON + timedelta(days=1), name="Oak chair", price=4190)

        for order in ([old, new], [new, old]):
            Product.objects.all().delete()
            for one in order:
                catalogue.upsert([one])
            product = Product.objects.get()
            assert (product.name, product.price) == ("Oak chair", Decimal("4190.00"))

    def test_two_shops_may_give_one_number_to_two_things(self):
        catalogue.upsert([stated(name="Chair"), catalogue.read({"sku": "CH-1"}, namespace="pos", at=NOON)])
        assert Product.objects.count() == 2

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"sku": ""}, "sku"),
            ({"price": "much"}, "price"),
            ({"price": True}, "price"),
            ({"attributes": 5}, "attributes"),
        ],
    )
    def test_says_what_is_wrong_and_never_the_value(self, wrong, says):
        with pytest.raises(catalogue.ProductProblem) as caught:
            stated(**wrong)
        assert says in caught.value.detail
        assert "much" not in caught.value.detail

    def test_links_nowhere_but_to_the_web(self):
        assert stated(url="javascript:alert(1)").url == ""
        assert stated(url="https://shop.example/ch-1").url == "https://shop.example/ch-1"

    def test_a_feed_teaches_words_but_never_changes_what_they_mean(self):
        catalogue.upsert([stated(attributes={"color": "แดง"}, synonyms={"color": ["crimson", "ดำ"]})])

        assert set(catalogue.spellings("color", "CRIMSON")) == {"Red", "แดง", "สีแดง", "crimson"}
        assert "Black" in catalogue.spellings("color", "ดำ")

    def test_other_names_of_a_product_find_one_another(self):
        catalogue.upsert([stated(name="Oak chair", synonyms=["เก้าอี้ไม้โอ๊ค"])])
        assert set(catalogue.spellings("name", "oak CHAIR")) == {"Oak chair", "เก้าอี้ไม้โอ๊ค"}


def test_what_only_orders_know_is_discovered_until_a_feed_tells_more(somchai, web_shop):
    assert catalogue.discover() == 2
    assert catalogue.discover() == 0
    found = Product.objects.get(namespace=web_shop.slug, sku="CH-1")
    assert (found.name, found.price, found.is_discovered) == ("เก้าอี้ไม้โอ๊ค", Decimal("3990.00"), True)

    catalogue.upsert([catalogue.read({"sku": "CH-1", "name": "Oak chair"}, namespace=web_shop.slug, at=NOON)])

    found.refresh_from_db()
    assert (found.name, found.is_discovered) == ("Oak chair", False)


class TestWords:
    def test_red_is_daeng(self):
        assert "แดง" in catalogue.spellings("color", "red")
        assert "Red" in catalogue.spellings("color", " สีแดง ")
        assert catalogue.spellings("color", "mauve") == ("mauve",)

    def test_a_word_means_one_thing(self, steward):
        with pytest.raises(ConflictProblem, match="Red"):
            catalogue.save_term(term=None, attribute="color", label="Rouge", label_th="", spellings=["แดง"], by=steward)
        with pytest.raises(MendableError):
            catalogue.save_term(term=None, attribute="color", label=" ", label_th="", spellings=[], by=steward)
        with pytest.raises(MendableError):
            catalogue.save_term(term=None, attribute="สี", label="x", label_th="", spellings=[], by=steward)

    def test_a_change_is_audited(self, steward):
        term = catalogue.save_term(
            term=None, attribute="color", label="Mauve", label_th="ม่วงอ่อน", spellings=["lilac"], by=steward
        )
        catalogue.save_term(term=term, attribute="color", label="Mauve", label_th="", spellings=[], by=steward)
        assert catalogue.spellings("color", "lilac") == ("lilac",)
        catalogue.remove_term(term=term, by=steward)
        assert list(AuditEvent.objects.filter(action__startswith="catalogue").values_list("action", flat=True)) == [
            "catalogue.term",
            "catalogue.term",
            "catalogue.term_removed",
        ]


class TestPages:
    def test_products_are_found_by_name_and_category(self, login, marketer):
        catalogue.upsert(
            [
                stated(name="Oak chair", name_th="เก้าอี้ไม้โอ๊ค", category="Furniture", attributes={"color": "Red"}),
                catalogue.read({"sku": "CU-2", "name": "Cushion"}, namespace="web-shop", at=NOON),
            ]
        )
        client = login(marketer)
        page = client.get(reverse("profiles:products"), {"q": "โอ๊ค"}).content.decode()
        assert "Oak chair" in page
        assert "Cushion" not in page
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "th"
        page = client.get(reverse("profiles:products"), {"category": "Furniture"}).content.decode()
        assert "เก้าอี้ไม้โอ๊ค" in page
        assert "แดง" in page

    def test_says_so_when_there_are_none(self, login, marketer):
        client = login(marketer)
        assert "No products yet" in client.get(reverse("profiles:products")).content.decode()
        assert "No product like that" in client.get(reverse("profiles:products"), {"q": "x\0"}).content.decode()

    def test_a_found_word_is_explained(self, somchai, login, marketer):
        catalogue.upsert([stated(attributes={"color": "Vermilion"})])
        client = login(marketer)
        page = client.get(reverse("profiles:words")).content.decode()
        assert "attribute=color&amp;text=Vermilion" in page

        wrong = client.post(reverse("profiles:new_word"), {"attribute": "color", "label": "Red", "spellings": ""})
        assert (wrong.status_code, "already means" in wrong.content.decode()) == (422, True)
        red = Term.objects.get(label="Red")
        texts = "\n".join([*red.synonyms.values_list("text", flat=True), "Vermilion"])
        saved = client.post(
            reverse("profiles:edit_word", args=[red.pk]),
            {"attribute": "color", "label": "Red", "label_th": "แดง", "spellings": texts},
        )
        assert saved.status_code == 302
        assert "Red" in catalogue.spellings("color", "vermilion")
        assert "Vermilion</a>" not in client.get(reverse("profiles:words")).content.decode().split("words-title")[0]

        assert client.post(reverse("profiles:remove_word", args=[red.pk])).status_code == 302
        assert not Term.objects.filter(pk=red.pk).exists()

    def test_an_outsider_and_an_agent(self, client, login, agent, outsider):
        red = Term.objects.get(label="Red")
        assert client.get(reverse("profiles:products")).status_code == 302
        assert login(agent).get(reverse("profiles:words")).status_code == 200
        for refused in (agent, outsider):
            assert login(refused).get(reverse("profiles:edit_word", args=[red.pk])).status_code == 404
            assert login(refused).post(reverse("profiles:remove_word", args=[red.pk])).status_code == 404


def test_orders_speak_the_readers_language(somchai, tell, web_shop, login, agent, marketer):
    line = {"sku": "CH-1", "name": "Oak chair (red)", "price": 3990, "color": "RED"}
    tell(web_shop, track("u1", "Order Completed", hours=1, order_id="W-9", products=[line]))
    catalogue.upsert(
        [catalogue.read({"sku": "CH-1", "name": "Oak chair", "name_th": "เก้าอี้โอ๊ค"}, namespace=web_shop.slug, at=NOON)]
    )
    client = login(marketer)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "th"

    page = client.get(reverse("profiles:timeline", args=[somchai.public_id])).content.decode()

    assert "เก้าอี้โอ๊ค" in page
    assert "แดง" in page
    assert "Oak chair (red)" not in page


class TestDigest:
    def row(self, content: str, *, line: int = 2, **stated: object) -> dict:
        product = {"sku": "CH-1", **stated}
        return {"type": "product", "messageId": f"row:{content}", "cdp": {"product": product, "line": line}}

    def test_a_feed_comes_in_once_and_what_is_wrong_is_held(self, db, pos):
        rows = [
            self.row("a", name="Chair"),
            self.row("b", line=3, name="Stool", sku=""),
            self.row("a", line=4, name="Chair"),
        ]
        landing.land(source=pos, messages_raw=rows, door="file")

        report = digest.drain()

        assert +report.counts == {"stored": 1, "duplicate": 1, "quarantined": 1}
        assert Product.objects.get(namespace=pos.slug).name == "Chair"
        assert "sku" in QuarantinedItem.objects.get().detail

    def test_the_event_api_knows_no_products(self, db, pos):
        landing.land(source=pos, messages_raw=[self.row("a", name="Chair")], door="api")
        assert digest.drain().counts["quarantined"] == 1
        assert not Product.objects.exists()

    def test_one_product_that_fails_does_not_stop_the_others(self, db, pos, monkeypatch):
        def upsert(products, *, real=catalogue.upsert):
            products = list(products)
            if any(product.sku == "BAD" for product in products):
                raise RuntimeError
            real(products)

        monkeypatch.setattr(catalogue, "upsert", upsert)
        rows = [self.row("a", name="Chair"), self.row("b", line=3, sku="BAD"), self.row("c", line=4, sku="CU-2")]
        landing.land(source=pos, messages_raw=rows, door="file")

        assert +digest.drain().counts == {"stored": 2, "quarantined": 1}
        assert set(Product.objects.values_list("sku", flat=True)) == {"CH-1", "CU-2"}
