"""Write keys of sources: made once, shown once, kept as a hash."""

import time
from dataclasses import dataclass

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, secret_keys
from cdp_site.core.errors import AuthenticationProblem, ConflictProblem
from cdp_site.core.memory import Memory
from cdp_site.core.models import User
from ingestion.models import Source, WriteKey

# A revoked key, or a source switched off, stops being taken after at most that many seconds in each process.
CACHE_SECONDS = 5.0
_CACHED_KEYS = 1_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key allows: writing to one source; a public one (in a browser) may add behaviour, never join people.

    Args:
        allowed_origins: web pages that may use the key when it is public; empty: the source does not say.
        rate_per_second: messages that the source may send, in the long run; None is no limit.
    """

    source_id: int
    is_public: bool
    allowed_origins: frozenset[str] = frozenset()
    rate_per_second: int | None = None


@transaction.atomic
def make(*, source: Source, by: User | str, is_public: bool = False) -> tuple[WriteKey, str]:
    """A new key of the source: the row, and the key itself, which cannot be had again."""
    if source.kind == Source.Kind.INTERNAL:
        raise ConflictProblem(_("This platform's own source takes no keys."))
    secret = secret_keys.make("pub" if is_public else "sec")
    row = WriteKey.objects.create(source=source, prefix=secret.prefix, secret_hash=secret.digest, is_public=is_public)
    audit.record(action="write_key.make", target=row, by=by, fields=["is_public" if is_public else "is_secret"])
    return row, secret.text


@transaction.atomic
def revoke(*, key: WriteKey, by: User | str) -> None:
    """The key stops being taken within CACHE_SECONDS. Revoking it twice changes nothing."""
    revoked = WriteKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
    if revoked:
        audit.record(action="write_key.revoke", target=key, by=by, fields=["revoked_at"])


def of_source(source: Source) -> models.QuerySet[WriteKey]:
    """Its keys, also revoked ones, the newest first."""
    return WriteKey.objects.filter(source=source).order_by("-pk")


def verify(key: str) -> Grant:
    """What the key allows; raises AuthenticationProblem for a wrong or revoked one, or a source that is switched off.

    One query, at most once in CACHE_SECONDS for a key and process.
    """
    digest = secret_keys.digest(key)
    held = _cache.get(digest)
    now = time.monotonic()
    if held is not None and held[1] > now:
        return held[0]
    row = (
        WriteKey.objects.filter(secret_hash=digest, revoked_at__isnull=True, source__is_active=True)
        .values_list("source_id", "is_public", "source__allowed_origins", "source__rate_per_second")
        .first()
    )
    if row is None:
        _cache.pop(digest, None)
        raise AuthenticationProblem("The write key is not known.", hint="It is the user name of HTTP Basic auth.")
    source_id, is_public, origins, rate = row
    grant = Grant(source_id, is_public, frozenset(origins), rate or settings.TRACKING_RATE_PER_SECOND or None)
    if len(_cache) >= _CACHED_KEYS:
        _cache.clear()
    _cache[digest] = (grant, now + CACHE_SECONDS)
    return grant


_cache: Memory[bytes, tuple[Grant, float]] = Memory()
