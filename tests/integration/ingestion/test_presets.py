"""What Thai shops export, from the file to profiles, orders and the ledger of consent."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from consent.models import ConsentEntry
from ingestion import equation, imports, mappings
from ingestion.equation import Equation
from ingestion.files import importer, presets, suggest
from ingestion.mapping_screen import looking_ahead
from ingestion.models import FileImport, Source
from profiles import digest
from profiles.models import Identifier, Membership, Order, Product, SourceRecord, Touchpoint

pytestmark = pytest.mark.django_db(transaction=True)

FILES = Path(__file__).parents[2] / "files"


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


@pytest.fixture
def bring_in(web_shop: Source) -> Callable[[str, str], FileImport]:
    """Import a file of ours with a preset, to the end."""

    def run(file_name: str, preset: str) -> FileImport:
        data = (FILES / file_name).read_bytes()
        file_import = imports.receive(source=web_shop, file_name=file_name, chunks=[data], by="system:test")
        assert presets.fitting(file_import.columns) == preset
        definition = mappings.find(preset, file_import.columns)
        imports.start(file_import=file_import, definition=definition, mapping_name=preset, by="system:test")
        importer.run(str(file_import.pk))
        digest.drain()
        file_import.refresh_from_db()
        return file_import

    return run


def broken(file_import: FileImport) -> list[tuple[int, str, str]]:
    return [(row["line"], row["code"], row["column"]) for row in file_import.broken_rows]


def lines(order: Order) -> list[tuple]:
    return [
        (line.sku, line.quantity, line.unit_price, line.list_price, line.discount, line.coupon)
        for line in order.lines.order_by("line_key")
    ]


def test_shopee_orders(bring_in):
    file_import = bring_in("shopee-orders.csv", "shopee-orders")

    assert (file_import.rows_read, file_import.rows_broken) == (6, 1)
    assert broken(file_import) == [(7, "value", "สถานะการสั่งซื้อ")]
    assert equation.of_import(file_import) == Equation(received=5, stored=5)
    orders = {order.external_id: order for order in Order.objects.all()}
    assert {key: (order.status, order.total, order.discount, order.coupon) for key, order in orders.items()} == {
        "261120AAAA01": ("completed", Decimal("1408.00"), Decimal("20.00"), "SAVE20"),
        "261121BBBB02": ("cancelled", Decimal("199.00"), Decimal(0), ""),
        "261121CCCC03": ("placed", Decimal("199.00"), Decimal(0), ""),
        "261121DDDD04": ("placed", Decimal("299.00"), Decimal(0), ""),
    }
    assert lines(orders["261120AAAA01"]) == [
        ("SOCK-01", Decimal(2), Decimal("59.00"), Decimal("79.00"), Decimal(0), ""),
        ("TS-RED-M", Decimal(1), Decimal("1290.00"), Decimal("390.00"), Decimal(0), ""),
    ]


def test_masked_buyers_are_no_evidence_and_nobody_s_record(bring_in):
    bring_in("shopee-orders.csv", "shopee-orders")

    records = {(record.kind, record.external_id): record for record in SourceRecord.objects.all()}
    assert set(records) == {
        ("identified", "nong_dao88"),
        ("identified", "somsak.shop"),
        ("anonymous", "order:261121CCCC03"),  # two orders of buyers who are both called s*****y
        ("anonymous", "order:261121DDDD04"),
    }
    assert Membership.objects.filter(valid_to=None).values("profile_id").distinct().count() == 4
    assert not Identifier.objects.filter(kind__in=["phone", "email"], is_evidence=True).exists()
    assert "phone" not in {name for record in records.values() for name, value in record.attributes.items() if value}


def test_shopee_orders_with_english_headers_are_the_same_orders(bring_in):
    bring_in("shopee-orders.csv", "shopee-orders")
    bring_in("shopee-orders-english.csv", "shopee-orders")

    assert Order.objects.count() == 4
    assert Order.objects.get(external_id="261120AAAA01").lines.get(sku="TS-RED-M").list_price == Decimal("1390.00")


def test_lazada_orders(bring_in):
    file_import = bring_in("lazada-orders.csv", "lazada-orders")

    assert (file_import.rows_read, file_import.rows_broken) == (4, 0)
    assert equation.of_import(file_import) == Equation(received=4, stored=4)
    orders = {order.external_id: order for order in Order.objects.all()}
    assert {key: (order.status, order.total) for key, order in orders.items()} == {
        "770001": ("completed", Decimal("1388.00")),
        "770002": ("cancelled", Decimal("199.00")),
    }
    assert lines(orders["770001"]) == [
        ("TS-RED-M", Decimal(1), Decimal("1270.00"), Decimal("1290.00"), Decimal("20.00"), ""),
        ("SOCK-01", Decimal(1), Decimal("59.00"), Decimal("79.00"), Decimal("20.00"), ""),
        ("SOCK-01", Decimal(1), Decimal("59.00"), Decimal("79.00"), Decimal("20.00"), ""),
    ]
    assert set(SourceRecord.objects.values_list("kind", "external_id")) == {
        ("anonymous", "order:770001"),
        ("anonymous", "order:770002"),
    }
    assert not Identifier.objects.filter(kind__in=["phone", "email"], is_evidence=True).exists()


def test_receipts_of_a_till(bring_in):
    file_import = bring_in("pos-receipts.csv", "pos-receipts")

    assert (file_import.rows_read, file_import.rows_broken) == (5, 1)
    assert broken(file_import) == [(6, "time", "วันที่")]
    orders = {order.external_id: order for order in Order.objects.all()}
    assert {key: (order.total, order.placed_at.isoformat()) for key, order in orders.items()} == {
        "R0001": (Decimal("2838.00"), "2026-11-22T07:05:00+00:00"),
        "R0002": (Decimal("199.00"), "2026-11-22T07:20:00+00:00"),
    }
    assert lines(orders["R0001"]) == [
        ("SOCK-01", Decimal(1), Decimal("79.00"), Decimal("79.00"), Decimal(0), ""),
        ("SOCK-01", Decimal(1), Decimal("79.00"), Decimal("79.00"), Decimal(0), ""),
        ("TS-RED-M", Decimal(2), Decimal("1340.00"), Decimal("1390.00"), Decimal("100.00"), "PAYDAY"),
    ]
    assert set(SourceRecord.objects.values_list("kind", "external_id")) == {
        ("identified", "M1001"),
        ("anonymous", "order:R0002"),  # who paid in cash and showed no card
    }


def test_contacts_of_line(bring_in):
    file_import = bring_in("line-oa.csv", "line-oa")

    assert (file_import.rows_read, file_import.rows_broken) == (3, 0)
    assert equation.of_import(file_import) == Equation(received=3, stored=3)
    assert Identifier.objects.filter(kind="line", is_evidence=True).count() == 3
    first = SourceRecord.objects.get(external_id="U0123456789abcdef0123456789abcdef").attributes
    assert (first["display_name"], first["language"], first["line_tags"]) == ("น้องดาว ✨", "th", "VIP")


def test_customers(bring_in):
    file_import = bring_in("customers.csv", "customers")

    assert (file_import.rows_read, file_import.rows_broken) == (6, 2)
    assert broken(file_import) == [(6, "no_id", "รหัสลูกค้า"), (7, "number", "คะแนน")]
    assert equation.of_import(file_import) == Equation(received=4, stored=4)
    records = {record.external_id: record.attributes for record in SourceRecord.objects.all()}
    somchai, suda, company, masked = (records[f"C00{number}"] for number in range(1, 5))
    assert (somchai["first_name"], somchai["last_name"], somchai["phone"]) == ("สมชาย", "ใจดี", "+66894551203")
    assert (somchai["birth_date"], somchai["gender"], somchai["points"]) == ("1978-09-27", "male", 1250)
    assert somchai["created_at"] == "2024-02-01"
    assert (suda["first_name"], suda["last_name"], suda["points"]) == ("สุดา", "ณ อยุธยา", 80)
    assert company["name"] == "บริษัท ทดสอบระบบ จำกัด"
    assert "first_name" not in company
    assert masked["name"] == "ส***ย"
    assert not Identifier.objects.filter(record__external_id="C004", kind="phone", is_evidence=True).exists()


def test_consents_of_earlier_days(bring_in):
    file_import = bring_in("consents.csv", "consents")

    assert (file_import.rows_read, file_import.rows_broken) == (7, 1)
    assert broken(file_import) == [(7, "time", "วันที่ให้ความยินยอม")]  # a grant that nobody knows the day of
    said = ConsentEntry.objects.order_by("record__external_id", "occurred_at", "channel")
    assert [
        (one.record.external_id, one.channel, one.state, one.occurred_at.isoformat(), one.notice_version)
        for one in said
    ] == [
        ("C001", "email", "granted", "2024-04-30T17:00:00+00:00", "2567-05"),
        ("C001", "sms", "refused", "2024-05-01T16:59:59.999999+00:00", "2567-05"),
        ("C002", "email", "granted", "2024-04-30T17:00:00+00:00", "2567-05"),
        ("C002", "email", "withdrawn", "2024-06-03T16:59:59.999999+00:00", "2567-05"),
    ]
    assert said[0].evidence == {"how": "form", "where": "สาขาสยาม", "reference": "F-001"}
    assert {one.origin for one in said} == {"cell"}

    bring_in("consents.csv", "consents")
    assert said.count() == 4


def test_products_are_suggested_and_kept(web_shop):
    data = (FILES / "products.csv").read_bytes()
    file_import = imports.receive(source=web_shop, file_name="products.csv", chunks=[data], by="system:test")
    definition = suggest.suggest(file_import.columns, looking_ahead.samples(file_import))
    assert definition["rows"] == "products"

    imports.start(file_import=file_import, definition=definition, by="system:test")
    importer.run(str(file_import.pk))
    digest.drain()

    file_import.refresh_from_db()
    assert broken(file_import) == [(4, "no_id", "รหัสสินค้า"), (5, "number", "ราคา")]
    assert equation.of_import(file_import) == Equation(received=2, stored=2)
    shirt = Product.objects.get(namespace="web", sku="TS-RED-M")
    assert (shirt.name, shirt.name_th, shirt.category) == ("T-shirt", "เสื้อยืดคอกลม", "Shirts")
    assert (shirt.price, shirt.currency, shirt.attributes) == (Decimal("1390.00"), "THB", {"color": "แดง"})
    assert not SourceRecord.objects.exists()


def test_every_order_of_a_file_is_one_touchpoint(bring_in):
    bring_in("lazada-orders.csv", "lazada-orders")

    events = Counter(Touchpoint.objects.values_list("type__name", flat=True))
    assert events == {"Order Completed": 1, "Order Cancelled": 1}
