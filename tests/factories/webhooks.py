"""Webhooks and the systems that report to them."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from ingestion.models import Source, Webhook
from ingestion.webhooks import endpoints, signatures
from ingestion.webhooks import settings as webhook_settings
from tests.factories import reports

SECRET = "hush-8f742231b10e8888"


@dataclass
class Sender:
    """A system that signs its reports with the webhook's secret."""

    webhook: Webhook
    secret: str = SECRET
    n_sent: int = 0

    def headers(self, body: bytes) -> dict[str, str]:
        scheme = webhook_settings.scheme(webhook_settings.read(self.webhook.kind, self.webhook.settings))
        return {scheme.header: signatures.sign(self.secret.encode(), body, scheme)}

    def send(self, body: bytes, **headers: str) -> HttpResponse:
        """The body as it is, signed; `headers` add to it and win."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client(raise_request_exception=True).post(
            self.webhook.path, body, content_type="application/json", headers=self.headers(body) | named
        )

    def topic(self, topic: str, body: Any = None, *, delivery_id: str = "") -> HttpResponse:
        """A report of Shopify."""
        self.n_sent += 1
        return self.send(
            reports.encoded(reports.SHOPIFY[topic] if body is None else body),
            X_Shopify_Topic=topic,
            X_Shopify_Webhook_Id=delivery_id or f"delivery-{self.n_sent}",
            X_Shopify_Shop_Domain=reports.SHOP,
        )

    def events(self, *events: dict[str, Any]) -> HttpResponse:
        """A report of LINE."""
        return self.send(reports.line_report(*events))


def sender(source: Source, kind: str, **settings: Any) -> Sender:
    webhook, secret = endpoints.make(source=source, kind=kind, settings=settings, secret=SECRET, by="system:test")
    return Sender(webhook, secret)
