"""Webhooks of a source: made, changed, given another secret, switched off; and found by the token of a request."""

import secrets
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from cdp_site.core import audit, hashing
from cdp_site.core.errors import ConflictProblem, MendableError, NotFoundProblem
from cdp_site.core.memory import Memory
from cdp_site.core.models import User
from ingestion.models import Source, Webhook
from ingestion.webhooks import settings as webhook_settings
from ingestion.webhooks.settings import Settings

# A webhook that is switched off or has a new secret is asked by the old one for at most that long in each process.
CACHE_SECONDS = 5.0
_MOST_CACHED = 1_000
SHORTEST_SECRET, LONGEST_SECRET = 8, 500


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook as a request finds it. `secret` in the clear: never log it, never show it."""

    id: int
    source_id: int
    source_slug: str
    rate_per_second: int | None
    kind: str
    secret: bytes
    settings: Settings


@transaction.atomic
def make(
    *, source: Source, kind: str, settings: dict[str, Any], secret: str = "", by: User | str
) -> tuple[Webhook, str]:
    """A new webhook, and its secret: the one that the other system has, or one of ours, which cannot be had again.

    Raises MendableError for settings that are wrong and for a secret that is missing or too short.
    """
    if source.kind == Source.Kind.INTERNAL:
        raise ConflictProblem(_("This platform's own source takes no webhooks."))
    if kind not in Webhook.Kind.values:
        raise MendableError(_("There is no such kind of webhook."), field="kind")
    secret = _usable_secret(kind, secret)
    webhook = Webhook.objects.create(
        source=source,
        kind=kind,
        token=secrets.token_urlsafe(32),
        secret=hashing.seal(secret.encode()),
        settings=webhook_settings.checked(kind, settings),
    )
    audit.record(action="webhook.make", target=webhook, by=by, fields=["kind", "secret", "settings"])
    return webhook, secret


def _usable_secret(kind: str, secret: str) -> str:
    """Shopify and LINE give the secret out; another system takes ours when it has none."""
    secret = secret.strip()
    if not secret and kind == Webhook.Kind.GENERIC:
        return secrets.token_urlsafe(32)
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise MendableError(
            _("The secret has %(least)s to %(most)s characters. Copy it from the other system.")
            % {"least": SHORTEST_SECRET, "most": LONGEST_SECRET},
            field="secret",
        )
    return secret


@transaction.atomic
def change(*, webhook: Webhook, settings: dict[str, Any], by: User | str) -> frozenset[str]:
    """Other settings; returns the names of those that changed. Raises MendableError."""
    held = _locked(webhook)
    wanted = webhook_settings.checked(held.kind, settings)
    changed = frozenset(name for name, value in wanted.items() if held.settings.get(name) != value)
    if changed:
        held.settings = wanted
        held.save(update_fields=["settings"])
        audit.record(action="webhook.change", target=held, by=by, fields=changed)
        _forget(held)
    return changed


@transaction.atomic
def rotate(*, webhook: Webhook, secret: str = "", by: User | str) -> str:
    """Another secret from now on; returns it. Reports signed with the old one are refused within CACHE_SECONDS."""
    held = _locked(webhook)
    secret = _usable_secret(held.kind, secret)
    held.secret = hashing.seal(secret.encode())
    held.save(update_fields=["secret"])
    audit.record(action="webhook.rotate", target=held, by=by, fields=["secret"])
    _forget(held)
    return secret


@transaction.atomic
def switch(*, webhook: Webhook, is_active: bool, by: User | str) -> None:
    """On or off. Off: its address answers 404 within CACHE_SECONDS, and what was to be passed on is given up."""
    held = _locked(webhook)
    if held.is_active == is_active:
        return
    held.is_active = is_active
    held.save(update_fields=["is_active"])
    audit.record(action="webhook.switch_on" if is_active else "webhook.switch_off", target=held, by=by)
    _forget(held)


def _locked(webhook: Webhook) -> Webhook:
    return Webhook.objects.select_for_update().get(pk=webhook.pk)


def of_source(source: Source) -> models.QuerySet[Webhook]:
    """Its webhooks, also those that are off, the oldest first."""
    return Webhook.objects.of_source(source).order_by("pk")


def find(token: str) -> Endpoint:
    """The webhook of an address. One query, at most once in CACHE_SECONDS for a token and process.

    Raises NotFoundProblem for an unknown token, for a webhook that is off, and for one of a source that is.
    """
    now = time.monotonic()
    held = _cache.get(token)
    if held is not None and held[1] > now:
        return held[0]
    row = Webhook.objects.filter(token=token, is_active=True, source__is_active=True).select_related("source").first()
    if row is None:
        _cache.pop(token, None)
        raise NotFoundProblem("There is no such webhook.")
    endpoint = Endpoint(
        id=row.pk,
        source_id=row.source_id,
        source_slug=row.source.slug,
        rate_per_second=row.source.rate_per_second or django_settings.TRACKING_RATE_PER_SECOND or None,
        kind=row.kind,
        secret=hashing.unseal(bytes(row.secret)),
        settings=webhook_settings.read(row.kind, row.settings),
    )
    if len(_cache) >= _MOST_CACHED:
        _cache.clear()
    _cache[token] = (endpoint, now + CACHE_SECONDS)
    return endpoint


_cache: Memory[str, tuple[Endpoint, float]] = Memory()


def _forget(webhook: Webhook) -> None:
    token = webhook.token
    transaction.on_commit(lambda: _cache.pop(token, None) and None)
