"""`POST /api/v1/calls`: a telephone system says that somebody calls, and gets an address for the agent's screen.

The number goes in by POST and comes back as a token, so that nothing personal stands in an address, a history or a log.
The answer is the same whether anybody has the number or not. The key is the secret write key of the telephone system's
source, whose kind is "call centre".
"""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from cdp_site.core.access import public
from cdp_site.core.errors import AuthenticationProblem, ForbiddenProblem
from cdp_site.core.rest_shapes import PROBLEM
from ingestion import keys
from ingestion.models import Source
from ingestion.tracking.tracking_api import header_key
from profiles.calling import lines, numbers


class CallRequest(serializers.Serializer):
    """Who calls, and whom."""

    number = serializers.CharField(
        max_length=numbers.LONGEST,
        allow_blank=True,
        help_text="The number that calls, as the telephone system has it: E.164, national, `tel:` or `sip:`. Empty or "
        "`anonymous` when it is withheld.",
    )
    agent = serializers.CharField(
        max_length=150,
        required=False,
        allow_blank=True,
        help_text="Login name of the agent who takes the call. Without it, whoever opens the address first is.",
    )


class CallAnswer(serializers.Serializer):
    """Where the call is to be opened."""

    url = serializers.URLField(help_text="To be opened in the agent's browser. Works once.")
    token = serializers.CharField(help_text="The last part of the address, for systems that build it themselves.")
    expires_in = serializers.IntegerField(help_text="Seconds.")
    number_is_readable = serializers.BooleanField(help_text="False: withheld, internal, or no phone number.")


@public
@extend_schema(
    summary="Say that somebody calls",
    description="Exchanges the number for an address that holds nothing personal, for a screen pop. The answer does "
    "not tell whether the number is known. The key is the secret write key of a source of the kind call centre.",
    tags=["Telephony"],
    request=CallRequest,
    responses={
        201: CallAnswer,
        400: OpenApiResponse(PROBLEM, "The request cannot be used; says where."),
        401: OpenApiResponse(PROBLEM, "The write key is missing, wrong, revoked or public."),
        403: OpenApiResponse(PROBLEM, "The key's source is no call centre."),
    },
    auth=[{"writeKey": []}],  # type: ignore[list-item]  # security requirements are objects, whatever it says
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def announce(request: Request) -> Response:
    """A call that waits for its agent."""
    source_id = _source(request)
    asked = CallRequest(data=request.data)
    asked.is_valid(raise_exception=True)
    said: dict[str, Any] = asked.validated_data
    call, token = lines.announce(number=said["number"], source_id=source_id, agent=said.get("agent", ""))
    path = reverse("profiles:pop", args=[token])
    host = settings.PUBLIC_URL.rstrip("/")
    return Response(
        {
            "url": f"{host}{path}" if host else request.build_absolute_uri(path),
            "token": token,
            "expires_in": int(lines.TOKEN_LASTS.total_seconds()),
            "number_is_readable": call.sealed_number is not None,
        },
        status=201,
    )


def _source(request: Request) -> int:
    """The telephone system's source, by its key."""
    key = header_key(request._request)
    grant = keys.verify(key) if key else None
    if grant is None or grant.is_public:
        raise AuthenticationProblem(
            "A secret write key is needed.", hint="Send it as the user name of HTTP Basic auth."
        )
    if not Source.objects.filter(pk=grant.source_id, kind=Source.Kind.CALL_CENTRE).exists():
        raise ForbiddenProblem("This source announces no calls.", hint="Use the key of a call centre's source.")
    return grant.source_id
