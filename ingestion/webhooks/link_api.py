"""`POST /v1/line/link-nonce`: the company's server asks for a nonce to link its user's LINE account with."""

from typing import Final

import msgspec
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from cdp_site.core.access import public
from cdp_site.core.errors import AuthenticationProblem, MendableError, TooLargeProblem
from ingestion import keys
from ingestion.tracking import tracking_api
from ingestion.webhooks import linking


class _Body(msgspec.Struct, rename="camel"):
    user_id: str


_bodies: Final = msgspec.json.Decoder(_Body)


@public
@csrf_exempt
@require_POST
def make_nonce(request: HttpRequest) -> JsonResponse:
    """`{"userId": "1001"}` with the secret write key of the user's own source as the user name of HTTP Basic auth:
    `{"nonce": …, "expiresIn": 600}`."""
    key = tracking_api.header_key(request)
    grant = keys.verify(key) if key else None
    if grant is None or grant.is_public:
        raise AuthenticationProblem(
            "A secret write key is needed.", hint="Send it as the user name of HTTP Basic auth."
        )
    if len(request.body) > settings.TRACKING_MAX_EVENT_BYTES:
        raise TooLargeProblem("The body is too large.")
    try:
        body = _bodies.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MendableError('Send a JSON object with "userId".', field="userId", code="malformed_json") from error
    nonce = linking.make(source_id=grant.source_id, user_id=body.user_id)
    return JsonResponse({"nonce": nonce, "expiresIn": int(linking.VALID_FOR.total_seconds())})
