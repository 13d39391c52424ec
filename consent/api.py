"""What the customer says about each purpose, as a part of the customer's answer to programs (`profiles.api.parts`)."""

from typing import Any

from rest_framework import serializers

from cdp_site.core.models import User
from cdp_site.core.rest_shapes import shape
from consent import matrix
from consent.models import Channel, Purpose
from consent.reasons import Reason
from consent.states import State
from profiles.api import parts
from profiles.api.parts import Part
from profiles.models import Profile

_CONSENT = shape(
    "Consent",
    {
        "purpose": serializers.CharField(help_text="Short name of the purpose."),
        "basis": serializers.ChoiceField(choices=Purpose.Basis.values, help_text="The legal ground."),
        "channel": serializers.ChoiceField(choices=Channel.values),
        "state": serializers.ChoiceField(
            choices=[state.value for state in State], help_text="What the person says about the channel as a whole."
        ),
        "since": serializers.DateTimeField(allow_null=True),
        "may_use": serializers.BooleanField(help_text="Whether there is an address that may be used now."),
        "why_not": serializers.ChoiceField(
            choices=[reason.value for reason in Reason],
            allow_null=True,
            help_text="The one reason, when there is none.",
        ),
    },
    many=True,
    required=False,
    help_text="Purpose by channel. Ask again before each use: what is withdrawn is withdrawn.",
)


def register() -> None:
    parts.register(Part("consents", _CONSENT, _read))


def _read(profile: Profile, by: User) -> list[dict[str, Any]]:
    """Four queries beside the user's scope."""
    return [
        {
            "purpose": purpose.slug,
            "basis": purpose.basis,
            "channel": cell.channel.value,
            "state": cell.state.value,
            "since": cell.since,
            "may_use": cell.permission.is_given,
            "why_not": None if cell.permission.reason is None else cell.permission.reason.value,
        }
        for purpose, cells in matrix.read(profile, by=by).rows
        for cell in cells
    ]
