"""The link by which one person fetches the copy, once: a secret in the address and a code that is told another way.

Both are kept as hashes. Five wrong codes, a fetched file or the end of its days make the link one that does not work,
and it is never told which: a forged link looks the same.
"""

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from cdp_site.core import audit, hashing
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from consent.models import AccessPackage, OutgoingMessage
from consent.package import making
from consent.requests.identity import Way
from consent.requests.messages import Content, post
from profiles.models import Identifier

MOST_WRONG_CODES: Final = 5
DIGITS: Final = 8
LINK_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Issued:
    """What the person needs, to be shown this once."""

    path: str = field(repr=False)
    code: str = field(repr=False)

    @property
    def url(self) -> str:
        return f"{settings.PUBLIC_URL.rstrip('/')}{self.path}"


class WrongCode(Exception):
    """The code is not that of the link; `left` more tries."""

    def __init__(self, left: int) -> None:
        super().__init__("wrong code")
        self.left = left


@transaction.atomic
def issue(package: AccessPackage, *, by: User) -> Issued:
    """A new link with a new code; an earlier one works no more.

    Raises:
        ConflictProblem: there is no file to fetch.
    """
    held = AccessPackage.objects.select_for_update().get(pk=package.pk)
    now = timezone.now()
    if not held.is_ready or held.expires_at <= now:
        raise ConflictProblem(_("There is no copy to fetch any more."), hint=_("Have it made again."))
    token = secrets.token_urlsafe(32)
    code = "".join(secrets.choice("0123456789") for _digit in range(DIGITS))
    held.link_hash, held.code_hash = _token_hash(token), _code_hash(held, code)
    held.link_until, held.wrong_codes = min(now + timedelta(days=LINK_DAYS), held.expires_at), 0
    held.save(update_fields=["link_hash", "code_hash", "link_until", "wrong_codes"])
    audit.record(action="package.link", target=held, by=by, fields=["link_hash"])
    return Issued(reverse("consent:copy", args=[token]), code)


@transaction.atomic
def send(package: AccessPackage, *, url: str, way: Way, by: User) -> None:
    """Send the link, without the code, to an address that the person has held for long enough."""
    to = Identifier.objects.values_list("value", flat=True).get(pk=way.identifier)
    words = {"company": settings.COMPANY_NAME, "reference": package.request.reference, "url": url}
    lines = []
    for language in ("th", "en"):
        with override(language):
            lines.append(
                _("%(company)s: the copy of your data (request %(reference)s) is here: %(url)s We tell you the code.")
                % words
            )
    with override("th"):
        subject = str(_("Copy of your data"))
    content = Content(to, subject, "\n\n".join(str(line) for line in lines))
    message = OutgoingMessage.What.NEWS
    post(request=package.request, channel=way.channel, what=message, content=content, identifier=way.identifier)
    audit.record(action="package.send", target=package, by=by, fields=["link_hash"])


def find(token: str) -> AccessPackage | None:
    """The copy of a link that works; None for one that is forged, over, used or guessed at too often."""
    package = AccessPackage.objects.filter(link_hash=_token_hash(token)).first()
    return package if package is not None and _works(package) else None


def fetch(token: str, code: str) -> Iterator[bytes] | None:
    """The file, once; None for a link that does not work.

    Raises:
        WrongCode: that was one of five tries.
        FileProblem: the file is gone or damaged.
    """
    with transaction.atomic():
        package = AccessPackage.objects.select_for_update().filter(link_hash=_token_hash(token)).first()
        if package is None or not _works(package):
            return None
        given = "".join(letter for letter in code if letter.isdigit())
        is_right = hmac.compare_digest(_code_hash(package, given), bytes(package.code_hash or b""))
        if not is_right:
            package.wrong_codes += 1
            package.save(update_fields=["wrong_codes"])
        else:
            pieces = making.read(package)
            first = next(pieces)
            package.fetched_at, package.link_hash, package.code_hash = timezone.now(), None, None
            package.save(update_fields=["fetched_at", "link_hash", "code_hash"])
            audit.record(action="package.fetch", target=package, by=making.ACTOR, fields=["file"])
    if not is_right:
        raise WrongCode(MOST_WRONG_CODES - package.wrong_codes)
    return _with(first, pieces)


def _with(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _works(package: AccessPackage) -> bool:
    return (
        package.is_ready
        and package.fetched_at is None
        and package.wrong_codes < MOST_WRONG_CODES
        and package.link_until is not None
        and package.link_until > timezone.now()
    )


def _token_hash(token: str) -> bytes:
    return hashing.keyed(token, purpose="package.link")


def _code_hash(package: AccessPackage, code: str) -> bytes:
    return hashing.keyed(f"{package.pk}\0{code}", purpose="package.code")
