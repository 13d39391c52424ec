"""Account links of LINE: which user of the company's own system a follower is.

https://developers.line.biz/en/docs/messaging-api/linking-accounts/

The company's server asks us for a nonce once its user has logged in, sends the user to LINE with it, and LINE reports
the nonce beside the follower. A nonce is good for one link and ten minutes, as LINE's link tokens are; only its keyed
hash is kept. The user is one of the source whose secret key asked: a system can only speak for its own users.
"""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.core.errors import MendableError
from ingestion.messages import MAX_ID_LENGTH
from ingestion.models import LinkNonce
from ingestion.webhooks.line import LinkedUser

VALID_FOR = timedelta(minutes=10)
_PURPOSE = "line_nonce"
_LONGEST_NONCE = 255  # LINE's


def make(*, source_id: int, user_id: str) -> str:
    """A new nonce: 10 to 255 characters with more than 128 random bits, as LINE demands. Raises MendableError."""
    user_id = user_id.strip()
    if not 0 < len(user_id) <= MAX_ID_LENGTH:
        raise MendableError(f"userId is needed, at most {MAX_ID_LENGTH} characters.", field="userId")
    nonce = secrets.token_urlsafe(32)
    LinkNonce.objects.create(
        key=hashing.keyed(nonce, purpose=_PURPOSE),
        source_id=source_id,
        user_id=hashing.seal(user_id.encode()),
        expires_at=timezone.now() + VALID_FOR,
    )
    return nonce


@transaction.atomic
def use(nonce: str) -> LinkedUser | None:
    """The user of a nonce, once: it is gone then, if the caller's transaction commits. None for an unknown one."""
    if not nonce or len(nonce) > _LONGEST_NONCE:
        return None
    keys = [hashing.keyed(nonce, purpose=_PURPOSE, key_id=key_id) for key_id in hashing.key_ids()]
    held = LinkNonce.objects.select_for_update(of=("self",)).select_related("source").filter(key__in=keys).first()
    if held is None:
        return None
    user = LinkedUser(held.source.slug, hashing.unseal(bytes(held.user_id)).decode())
    is_valid = held.expires_at > timezone.now()
    LinkNonce.objects.filter(key__in=keys).delete()
    return user if is_valid else None


def forget_expired() -> None:
    """Chore: remove nonces that nobody used."""
    LinkNonce.objects.filter(expires_at__lte=timezone.now()).delete()
