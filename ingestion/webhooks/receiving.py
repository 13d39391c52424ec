"""From a webhook's request to the landing: `POST /webhooks/<token>`.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https, https://developers.line.biz/en/docs/messaging-api/

The signature is checked on the body as it came, before anything looks into it. 200 means that all is committed; whoever
has another answer sends the same report again, and has one effect.
"""

import hashlib
import time
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.conf import settings as django_settings
from django.db import InterfaceError, OperationalError, models, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cdp_site.core.access import public
from cdp_site.core.api_errors import error_response
from cdp_site.core.errors import AuthenticationProblem, MendableError, TooLargeProblem, UnavailableProblem
from cdp_site.core.memory import Memory
from cdp_site.core.rate_limits import RateProblem
from ingestion import landing, mappings, national_ids, vocabulary
from ingestion.models import InboundBatch, Webhook
from ingestion.signals import subject_request_stated
from ingestion.tracking.rate_limits import limiter
from ingestion.webhooks import endpoints, generic, line, linking, relay, shopify, signatures
from ingestion.webhooks import settings as webhook_settings
from ingestion.webhooks.endpoints import Endpoint
from ingestion.webhooks.reading import Reading, Unreadable, held_back
from ingestion.webhooks.settings import GenericSettings, LineSettings, ShopifySettings

log = structlog.get_logger("webhooks")

MAX_BYTES: Final = 2 * 1024 * 1024  # an order of Shopify with hundreds of lines is about 1 MB
NOTE_EVERY_SECONDS: Final = 10.0


@public
@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> HttpResponse:
    """One report of another system."""
    try:
        _receive(request, token)
    except MendableError as problem:
        return _refusal(problem)
    except (OperationalError, InterfaceError):
        log.exception("landing.failed")
        return _refusal(UnavailableProblem("Nothing was kept; send this again later."))
    except UnreadablePostError:
        return _refusal(MendableError("The body was cut off.", code="cut_off"))
    return JsonResponse({"success": True})


def _refusal(problem: MendableError) -> JsonResponse:
    response = error_response(problem)
    if isinstance(problem, RateProblem):
        response["Retry-After"] = str(problem.retry_after)
    elif problem.status in (429, 503):
        response["Retry-After"] = str(landing.RETRY_AFTER_SECONDS)
    return response


def _receive(request: HttpRequest, token: str) -> None:
    landing.refuse_when_full()
    endpoint = endpoints.find(token)
    limiter.admit(endpoint.source_id, endpoint.rate_per_second)
    raw = _body(request)
    _verify(endpoint, raw, request.headers)
    with nullcontext() if _is_one_insert(endpoint, request.headers) else transaction.atomic():
        n_messages, ignored = _keep(endpoint, raw, request.headers)
    limiter.count(endpoint.source_id, endpoint.rate_per_second, max(n_messages, 1))
    _note(endpoint.id, ignored)


def _is_one_insert(endpoint: Endpoint, headers: Mapping[str, str]) -> bool:
    """Whether the landing is all there is to write: a statement of its own is whole or not there, and needs neither
    BEGIN nor COMMIT. A relay, a nonce that is used up and a request under the law are written with it."""
    if isinstance(endpoint.settings, ShopifySettings):
        return headers.get("X-Shopify-Topic", "") not in shopify.REQUESTS
    return isinstance(endpoint.settings, GenericSettings)


def _body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) >= MAX_BYTES:
        raise TooLargeProblem(f"A report holds less than {MAX_BYTES // 1024} KB.")
    return request.body


def _verify(endpoint: Endpoint, raw: bytes, headers: Mapping[str, str]) -> None:
    scheme = webhook_settings.scheme(endpoint.settings)
    is_genuine = signatures.is_genuine(
        endpoint.secret,
        raw,
        scheme,
        signature=headers.get(scheme.header, ""),
        timestamp=headers.get(scheme.timestamp_header, "") if scheme.timestamp_header else "",
        now=time.time(),
    )
    if not is_genuine:
        raise AuthenticationProblem("The signature is not that of this body.", hint=f"It is in {scheme.header}.")


def _keep(endpoint: Endpoint, raw: bytes, headers: Mapping[str, str]) -> tuple[int, int]:
    """Land what the report says, hand requests under the law over, queue the relay. Returns how many messages were
    landed and how many events ignored."""
    received_at = timezone.now()
    try:
        reading = _read(endpoint, raw, headers)
    except Unreadable as problem:
        message_id = f"hook:{hashlib.sha256(raw).hexdigest()[:40]}"
        reading = Reading(messages=(held_back(_shown(raw), problem, message_id),))
    if reading.messages:
        landing.land(
            source=endpoint.source_id,
            messages_raw=reading.messages,
            door=InboundBatch.Door.WEBHOOK,
            lane=InboundBatch.Lane.WITHDRAWAL if _withdraws(reading) else InboundBatch.Lane.LIVE,
            received_at=received_at,
        )
    if reading.request is not None:
        subject_request_stated.send(sender=Webhook, request=reading.request, source_id=endpoint.source_id)
    return len(reading.messages), reading.ignored


def _read(endpoint: Endpoint, raw: bytes, headers: Mapping[str, str]) -> Reading:
    body = _decoded(raw)
    match endpoint.settings:
        case ShopifySettings(purpose=purpose):
            return shopify.read(
                headers.get("X-Shopify-Topic", ""),
                body,
                delivery_id=headers.get("X-Shopify-Webhook-Id", "")[:60] or hashlib.sha256(raw).hexdigest()[:40],
                shop=shopify.Shop(domain=headers.get("X-Shopify-Shop-Domain", "")[:100], purpose=purpose),
                received_at=timezone.now(),
            )
        case LineSettings() as settings:
            if line.is_verification(body):
                return Reading()
            if settings.relay_url:
                relay.put(webhook_id=endpoint.id, body=raw, signature=headers[signatures.LINE.header])
            account = line.Account(
                keeps_text=settings.keep_text,
                purposes=[slug for slug, _label in vocabulary.consent()[0]] if b'"unfollow"' in raw else (),
                linked_user=linking.use,
            )
            return line.read(body, account=account)
        case GenericSettings() as settings:
            form = generic.Form(_definition(settings.mapping), settings.list_path, settings.id_path)
            zone = _zone(django_settings.COMPANY_TIME_ZONE)
            return generic.read(body, raw, form=form, zone=zone, seal=national_ids.sealed_document)


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("$", "expected JSON") from error


def _shown(raw: bytes) -> Any:
    """The report for the quarantine; as text when it is no JSON."""
    try:
        return _decoded(raw)
    except Unreadable:
        return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _definition(name: str) -> dict[str, Any]:
    found = mappings.find(name)
    if found is None:
        raise Unreadable("$", f"the mapping {name} is gone")
    return found


@lru_cache(maxsize=1)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _withdraws(reading: Reading) -> bool:
    """A withdrawal overtakes what waits."""
    return any(
        consent.get("state") != "granted"
        for message in reading.messages
        for consent in message.get("cdp", {}).get("consents", ())
    )


# --- the webhook's own account --------------------------------------------------------------------------------------

_noted: Memory[int, float] = Memory()


def _note(webhook_id: int, ignored: int) -> None:
    """When it was last heard, for its page. Once in a while in each process: a row that every request updates would
    make them wait for one another."""
    now = time.monotonic()
    if not ignored and now - _noted.get(webhook_id, float("-inf")) < NOTE_EVERY_SECONDS:
        return
    _noted[webhook_id] = now
    moment = timezone.now()
    heard = models.Q(last_received_at__isnull=True) | models.Q(
        last_received_at__lt=moment - timedelta(seconds=NOTE_EVERY_SECONDS / 2)
    )
    if ignored:
        Webhook.objects.filter(pk=webhook_id).update(n_ignored=models.F("n_ignored") + ignored, last_received_at=moment)
    else:
        Webhook.objects.filter(heard, pk=webhook_id).update(last_received_at=moment)
