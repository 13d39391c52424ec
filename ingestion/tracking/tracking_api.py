"""The event API: Segment's HTTP Tracking API, so that any of its SDKs can point here.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/

The door looks at the envelope only: key, origin, rate, size, JSON. What is wrong with one item of a batch is found by
the digest, which quarantines that item; a single call is checked here, since its sender can be told.

What a refusal costs decides how much one sender can slow the others, so the cheap questions come first: with the key
in the Authorization header, everything up to the rate is answered before the body is looked at. It is still taken off
the line, since a server that answers in the middle of a body cuts the connection, and the answer is lost with it.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import msgspec
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from cdp_site.core.access import public
from cdp_site.core.api_errors import error_response
from cdp_site.core.errors import AuthenticationProblem, MendableError, TooLargeProblem, UnavailableProblem
from cdp_site.core.rate_limits import RateProblem
from ingestion import clocks, keys, landing, messages
from ingestion.health import rejections
from ingestion.models import InboundBatch
from ingestion.tracking import cors, gpc
from ingestion.tracking.rate_limits import limiter

log = structlog.get_logger("tracking")

# 500 KB of the smallest useful messages (100 bytes).
MAX_BATCH_ITEMS: Final = 5_000
SUCCESS: Final = b'{"success": true}'


class LengthProblem(MendableError):
    status = 411
    code = "length_required"


class Envelope(msgspec.Struct, rename="camel", gc=False):
    """The body of `POST /v1/batch`. `context` and `integrations` are the defaults of its calls."""

    batch: list[msgspec.Raw]
    sent_at: str | None = None
    write_key: str | None = None
    context: msgspec.Raw = msgspec.Raw()
    integrations: msgspec.Raw = msgspec.Raw()


class _Key(msgspec.Struct, rename="camel", gc=False):
    write_key: str | None = None


_envelopes: Final = msgspec.json.Decoder(Envelope)
_keys: Final = msgspec.json.Decoder(_Key)


# What SDKs for browsers and phones write instead of the long names.
SHORT_NAMES: Final = {kind[0]: kind for kind in messages.TYPES}


class _Entry:
    """One request on its way in: the grant of its key, once known, and how many messages it counts for."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.grant: keys.Grant | None = None
        self.n_messages = 1  # also for what turns out to be unreadable: reading it was work

    def show_header_key(self) -> None:
        if key := header_key(self.request):
            self._admit(key)

    def show_body_key(self, key: str | None) -> keys.Grant:
        """The grant of the header's key, else of the body's. Raises AuthenticationProblem without either."""
        return self.grant or (self._admit(key) if key else _no_key())

    def _admit(self, key: str) -> keys.Grant:
        grant = self.grant = keys.verify(key)
        cors.check(self.request, grant)
        limiter.admit(grant.source_id, grant.rate_per_second)
        return grant

    def count(self) -> None:
        """Charge the source. The answer does not depend on it: what is kept is kept."""
        if self.grant is None:
            return
        try:
            limiter.count(self.grant.source_id, self.grant.rate_per_second, self.n_messages)
        except (OperationalError, InterfaceError):
            log.warning("rate.uncharged", source=self.grant.source_id)


def _endpoint(view: Callable[..., None]) -> Callable[..., HttpResponse]:
    """A call of the event API: POST, no session, errors as JSON, 429 and 503 with `Retry-After`, CORS."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "OPTIONS":
            return cors.preflight(request)
        entry = _Entry(request)
        response: HttpResponse
        try:
            response = _answer(entry, view, *args, **kwargs)
        except (OperationalError, InterfaceError):
            log.exception("landing.failed")
            response = _refusal(UnavailableProblem("Nothing was kept; send this again later."))
        except UnreadablePostError:
            response = _refusal(MendableError("The body was cut off.", code="cut_off"))
        if response.status_code >= 400:
            rejections.note(entry.grant.source_id if entry.grant else None, response.status_code)
        cors.let_read(request, response, entry.grant)
        return response

    return public(csrf_exempt(require_http_methods(["OPTIONS", "POST"])(answer)))


def _answer(entry: _Entry, view: Callable[..., None], *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        landing.refuse_when_full()
        entry.show_header_key()
        view(entry, *args, **kwargs)
    except MendableError as problem:
        if not isinstance(problem, RateProblem):
            entry.count()
        _take_off_the_line(entry.request)
        return _refusal(problem)
    entry.count()
    return HttpResponse(SUCCESS, content_type="application/json")


def _take_off_the_line(request: HttpRequest) -> None:
    """Read what is left of the body and forget it; of one that says to be larger than the limit, nothing."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) <= settings.TRACKING_MAX_BATCH_BYTES:
        request.read()


def _refusal(problem: MendableError) -> JsonResponse:
    response = error_response(problem)
    if problem.status in (429, 503):
        seconds = problem.retry_after if isinstance(problem, RateProblem) else landing.RETRY_AFTER_SECONDS
        # The second is what Segment's analytics.js reads.
        response["Retry-After"] = response["X-RateLimit-Reset"] = str(seconds)
    return response


@_endpoint
def batch(entry: _Entry, *, is_history: bool = False) -> None:
    """`POST /v1/batch`: many calls in one envelope. What is wrong with an item does not fail the others.

    `POST /v1/import` is the same for what happened long ago: it waits behind what happens now.
    """
    envelope = _open(_body(entry.request))
    grant = entry.show_body_key(envelope.write_key)
    if len(envelope.batch) > MAX_BATCH_ITEMS:
        raise TooLargeProblem(f"A batch holds at most {MAX_BATCH_ITEMS} calls.", field="batch")
    if not envelope.batch:
        return
    items = [bytes(item) for item in envelope.batch]
    for name, value in (("context", envelope.context), ("integrations", envelope.integrations)):
        if default := bytes(value):
            items = [_with_default(item, name, default) for item in items]
    if grant.is_public:
        items += gpc.refusals(entry.request, items)
    entry.n_messages = len(items)
    landing.land(
        source=grant.source_id,
        messages_raw=b"[" + b",".join(items) + b"]",
        n_items=len(items),
        door=InboundBatch.Door.API,
        is_history=is_history,
        received_at=timezone.now(),
        sent_at=clocks.parse_or_none(envelope.sent_at) if envelope.sent_at else None,
        is_public_key=grant.is_public,
    )


@_endpoint
def call(entry: _Entry, kind: str) -> None:
    """`POST /v1/{identify,track,page,screen,alias,group}`: one call; 400 says what is wrong with it."""
    raw = _body(entry.request)
    try:
        in_body = _keys.decode(raw).write_key
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _envelope_problem(error, raw) from error
    grant = entry.show_body_key(in_body)
    if in_body is not None:
        raw = msgspec.json.encode({k: v for k, v in msgspec.json.decode(raw).items() if k != "writeKey"})
    raw = _of_type(raw, SHORT_NAMES.get(kind, kind))
    try:
        messages.parse(raw, from_api=True)
    except messages.UnusableMessage as problem:
        raise MendableError(problem.detail, field=problem.field, code=problem.reason) from problem
    items = [raw, *(gpc.refusals(entry.request, [raw]) if grant.is_public else ())]
    landing.land(
        source=grant.source_id,
        messages_raw=b"[" + b",".join(items) + b"]",
        n_items=len(items),
        door=InboundBatch.Door.API,
        received_at=timezone.now(),
        is_public_key=grant.is_public,
    )


def _no_key() -> keys.Grant:
    raise AuthenticationProblem(
        "A write key is needed.", hint="Send it as the user name of HTTP Basic auth, or as writeKey in the body."
    )


def header_key(request: HttpRequest) -> str | None:
    """The user name of HTTP Basic auth; None without such a header."""
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AuthenticationProblem("The Authorization header is not valid Basic auth.") from error


def _body(request: HttpRequest) -> bytes:
    """The body, unpacked, at most TRACKING_MAX_BATCH_BYTES before and after unpacking."""
    limit = settings.TRACKING_MAX_BATCH_BYTES
    if "Transfer-Encoding" in request.headers:
        raise LengthProblem("Send the whole body with its Content-Length, not in chunks.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > limit:
        raise _too_large(limit)
    body = request.body
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise MendableError(f"Content-Encoding {encoding[:20]!r} is not supported.", hint="gzip, deflate or none.")
    # wbits 47: zlib or gzip header. Stopping at the limit is the guard against a bomb: no more is ever unpacked.
    unpacker = zlib.decompressobj(wbits=47)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise MendableError("The body is not valid gzip.", code="malformed_gzip") from error
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise MendableError("The gzip body is cut off.", code="malformed_gzip")
    return unpacked


def _too_large(limit: int) -> TooLargeProblem:
    return TooLargeProblem(f"A request holds at most {limit // 1024} KB.", hint="Send smaller batches.")


def _open(raw: bytes) -> Envelope:
    try:
        return _envelopes.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # A lone surrogate in one item makes the whole text unreadable to msgspec; the other items are still good.
        if b"\\ud" in raw.lower() and (mended := _mended(raw)) is not None:
            return mended
        raise _envelope_problem(error, raw) from error


def _mended(raw: bytes) -> Envelope | None:
    """The envelope with items that msgspec cannot read wrapped as texts, which the digest quarantines; None when it is
    not valid JSON anyway."""
    try:
        envelope = json.loads(raw, parse_constant=_refuse)
        items = envelope["batch"]
        envelope["batch"] = [item if _is_readable(item) else json.dumps(item) for item in items]
        return _envelopes.decode(json.dumps(envelope))
    except (ValueError, LookupError, TypeError, RecursionError, msgspec.DecodeError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON


def _is_readable(item: Any) -> bool:
    try:
        msgspec.json.decode(json.dumps(item))
    except msgspec.DecodeError:
        return False
    return True


def _envelope_problem(error: Exception, raw: bytes) -> MendableError:
    """What is wrong with the envelope, and where."""
    if isinstance(error, RecursionError):
        return MendableError("The JSON is nested too deep.", code="malformed_json")
    if isinstance(error, msgspec.ValidationError):
        return MendableError(str(error), field=messages.field_in(str(error)), code="wrong_type")
    if isinstance(error, UnicodeDecodeError):
        return MendableError("The body is not valid UTF-8.", code="malformed_json")
    text = str(error)
    _before, marker, number = text.partition("(byte ")
    at = int(number.rstrip(")")) if marker else len(raw)
    line = raw.count(b"\n", 0, at) + 1
    column = at - (raw.rfind(b"\n", 0, at) + 1) + 1
    reason = text.partition(" (byte")[0]
    return MendableError(
        f"{reason} (line {line}, column {column}, byte {at})", code="malformed_json", hint="Send JSON in UTF-8."
    )


def _with_default(item: bytes, name: str, value: bytes) -> bytes:
    """The envelope's value for an item; of two equal keys the item's own, which comes later, wins."""
    return _spliced(item, b'"' + name.encode() + b'":' + value, at_end=False)


def _of_type(raw: bytes, kind: str) -> bytes:
    """The call with the type that its address names; it comes last, so it wins over one in the body."""
    return _spliced(raw.strip(), b'"type":"' + kind.encode() + b'"', at_end=True)


def _spliced(item: bytes, member: bytes, *, at_end: bool) -> bytes:
    if not item.startswith(b"{"):
        return item
    inner = item[1:-1].strip()
    parts = [inner, member] if at_end else [member, inner]
    return b"{" + b",".join(part for part in parts if part) + b"}"
