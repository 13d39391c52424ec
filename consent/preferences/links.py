"""Links to the preference page: signed, with an end, and nothing of them is stored.

A link names a profile as it was born, so that it leads to whoever that person is after merges, and to the person's own
side again after an unmerge. It is signed under a key outside the database (`core.hashing`). One that was forged, that
has expired, or whose person is not there any more is told apart by nobody.
"""

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from cdp_site.core import hashing
from profiles.models import Profile

_PURPOSE = "consent.preferences"
_SAID = struct.Struct(">16sI")  # the profile's public id, the second of the end
_MAC_BYTES = 32


def issue(public_id: UUID, *, now: datetime | None = None) -> str:
    """A token that opens the person's page for PREFERENCE_LINK_DAYS."""
    ends_at = (now or timezone.now()) + timedelta(days=settings.PREFERENCE_LINK_DAYS)
    said = _SAID.pack(public_id.bytes, int(ends_at.timestamp()))
    return base64.urlsafe_b64encode(said + hashing.mac(said, purpose=_PURPOSE)).decode().rstrip("=")


def address(public_id: UUID) -> str:
    """The whole link; without PUBLIC_URL its path."""
    return settings.PUBLIC_URL.rstrip("/") + reverse("consent:preferences", args=[issue(public_id)])


def open_link(token: str) -> tuple[UUID, Profile] | None:
    """Whom the link names, as they were born, and who they are now; None when it opens nothing. Two queries at most,
    none for a link that we did not sign."""
    named = _read(token)
    if named is None:
        return None
    profile = Profile.objects.filter(public_id=named).select_related("redirect_to").first()
    now = profile.redirect_to or profile if profile is not None else None
    return (named, now) if now is not None and now.state == Profile.State.LIVE else None


def _read(token: str) -> UUID | None:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    said, mac = raw[: _SAID.size], raw[_SAID.size :]
    if len(said) != _SAID.size or len(mac) != _MAC_BYTES or not hashing.is_ours(said, mac, purpose=_PURPOSE):
        return None
    public_id, ends = _SAID.unpack(said)
    return UUID(bytes=public_id) if timezone.now() < datetime.fromtimestamp(ends, UTC) else None
