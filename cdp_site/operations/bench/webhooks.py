"""`bench webhooks`: how long Shopify waits for our answer while 200 orders a second are reported."""

import json
import statistics
import time
from typing import Any

from cdp_site.operations.bench.ingest import web_server
from cdp_site.operations.bench.measure import ROUNDS, Result
from cdp_site.operations.bench.reporting import Answers, Report, Reporter
from cdp_site.operations.company import feeds
from ingestion.models import InboundBatch, Source, Webhook
from ingestion.webhooks import endpoints, signatures

A_SECOND = 200
WINDOW_SECONDS = 5.0
GOAL_MS = 500.0
SECRET = "bench-secret"


def run(url: str) -> list[Result]:
    """The 99th percentile of signed orders of three lines each, answered after the commit, against the goal in
    milliseconds; and against a view that does nothing (the same address asked by GET), in interleaved windows."""
    source = Source.objects.get(slug=feeds.WEB)
    webhook, _secret = endpoints.make(
        source=source, kind=Webhook.Kind.SHOPIFY, settings={}, secret=SECRET, by="system:bench"
    )
    with web_server(url) as port, Reporter(port=port) as shop:
        _window(shop, _orders(webhook.path), status=200)  # warm
        idle, loaded, ratios = [_window(shop, _idle(webhook.path), status=405).p99], [], []
        for _round in range(ROUNDS):
            loaded.append(_window(shop, _orders(webhook.path), status=200).p99)
            idle.append(_window(shop, _idle(webhook.path), status=405).p99)
            ratios.append(loaded[-1] / statistics.fmean(idle[-2:]))
    InboundBatch.objects.waiting().delete()
    p99, limit = statistics.median(loaded), statistics.median(idle)
    note = f"p99 at {A_SECOND} orders a second, {ROUNDS} windows of {WINDOW_SECONDS:.0f} s"
    return [
        _result("webhooks.answer", p99, GOAL_MS, "what Shopify may wait", p99 / GOAL_MS, goal=1.0, note=note),
        _result("webhooks.work", p99, limit, "a view that does nothing", statistics.median(ratios), note=note),
    ]


def _result(
    name: str, value: float, limit: float, limit_name: str, ratio: float, *, note: str, goal: float | None = None
) -> Result:
    return Result(
        name=name,
        value=round(value, 1),
        unit="ms",
        limit=round(limit, 1),
        limit_name=limit_name,
        ratio=round(ratio, 3),
        goal=goal,
        lower_is_better=True,
        rounds=ROUNDS,
        note=note,
    )


def _window(shop: Reporter, reports: list[Report], *, status: int) -> Answers:
    answers = shop.send(reports, a_second=A_SECOND)
    if answers.statuses != {status}:
        raise RuntimeError(f"the server answered {sorted(answers.statuses)}")
    return answers


def _idle(path: str) -> list[Report]:
    return [Report("GET", path, b"", {})] * round(A_SECOND * WINDOW_SECONDS)


def _orders(path: str) -> list[Report]:
    """New orders, signed beforehand."""
    first = time.time_ns()
    return [_signed(path, _order(first + number)) for number in range(round(A_SECOND * WINDOW_SECONDS))]


def _signed(path: str, order: dict[str, Any]) -> Report:
    body = json.dumps(order, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Webhook-Id": str(order["id"]),
        "X-Shopify-Hmac-Sha256": signatures.sign(SECRET.encode(), body, signatures.SHOPIFY),
    }
    return Report("POST", path, body, headers)


def _order(number: int) -> dict[str, Any]:
    """As Shopify reports it, with a customer and three lines: about 3 KB."""
    address = {"address1": "99/1 ถนนสุขุมวิท", "city": "คลองเตย", "province": "กรุงเทพมหานคร", "zip": "10110"}
    return {
        "id": number,
        "name": f"#{number}",
        "created_at": "2026-11-20T12:00:00+07:00",
        "currency": "THB",
        "total_price": "2970.00",
        "financial_status": "paid",
        "payment_gateway_names": ["promptpay"],
        "discount_codes": [{"code": "HELLO10", "amount": "330.00", "type": "percentage"}],
        "discount_applications": [{"type": "discount_code", "code": "HELLO10"}],
        "billing_address": address,
        "shipping_address": address,
        "customer": {
            "id": number % 100_000,
            "email": f"customer.{number % 100_000}@example.co.th",
            "first_name": "สมชาย",
            "last_name": "ใจดี",
            "default_address": address,
        },
        "line_items": [
            {
                "id": number * 10 + place,
                "product_id": place,
                "sku": f"SKU-{place:04d}",
                "title": "หมอนอิงผ้าลินิน",
                "variant_title": "แดง",
                "quantity": 1,
                "price": "1100.00",
                "discount_allocations": [{"amount": "110.00", "discount_application_index": 0}],
            }
            for place in range(3)
        ],
    }
