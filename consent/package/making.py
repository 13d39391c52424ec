"""Making a copy: gathered, and written into the sealed store. It runs within the job that carries the request out
(`consent.requests.carrying_out`), which tries again what fails; nothing of a half-written file stays."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.models import User
from consent import subjects
from consent.models import AccessPackage, DataSubjectRequest
from consent.package import writing
from consent.requests import carrying_out
from consent.requests.carrying_out import NobodyThere
from consent.requests.identity import person_of
from ingestion.files import store
from profiles.models import Profile

ROOM: Final = "packages"
ACTOR: Final = "system:package"
Removal = AccessPackage.Removal


def make(request: DataSubjectRequest) -> dict[str, Any]:
    """Make the copy that answers the request; returns the tables that it accounts for. Runs in the caller's
    transaction. A copy that was made before goes.

    Raises:
        NobodyThere: the person is gone.
    """
    profile = person_of(request)
    subject = subjects.find(profile.public_id) if profile else None
    if profile is None or subject is None or profile.state != Profile.State.LIVE:
        raise NobodyThere
    with store.Writer(ROOM) as writer:
        counts = writing.write(writer, request, profile, subject)
        stored = writer.finish()
    try:
        _keep(request, profile, stored, counts)
    except BaseException:
        store.remove(stored.name, ROOM)
        raise
    return {"tables": counts}


def register() -> None:
    """Requests for access and for portability are carried out by a copy."""
    carrying_out.register(DataSubjectRequest.Kind.ACCESS, make)
    carrying_out.register(DataSubjectRequest.Kind.PORTABILITY, make)


def _keep(request: DataSubjectRequest, profile: Profile, stored: store.StoredFile, counts: dict[str, int]) -> None:
    now = timezone.now()
    for earlier in AccessPackage.objects.filter(request=request):
        remove(earlier, because=Removal.ASKED, by=ACTOR)
    package, _is_new = AccessPackage.objects.update_or_create(
        request=request,
        defaults={
            "subject": profile.public_id,
            "made_at": now,
            "expires_at": now + timedelta(days=settings.PACKAGE_DAYS),
            "stored_as": stored.name,
            "size": stored.size,
            "counts": counts,
            "removed_because": "",
            "link_hash": None,
            "code_hash": None,
            "fetched_at": None,
        },
    )
    audit.record(action="package.make", target=package, by=ACTOR, fields=["file"])


# --- the end of a file ----------------------------------------------------------------------------------------------


@transaction.atomic
def remove(package: AccessPackage, *, because: str, by: User | str) -> bool:
    """Remove the file and its link; False when there was none."""
    held = AccessPackage.objects.select_for_update().get(pk=package.pk)
    if not held.stored_as:
        return False
    name = held.stored_as
    transaction.on_commit(lambda: store.remove(name, ROOM))
    held.stored_as, held.removed_because = "", because
    held.subject = held.link_hash = held.code_hash = None
    held.save()
    audit.record(action="package.remove", target=held, by=by, fields=["file"])
    return True


def remove_expired() -> int:
    """Chore: remove copies whose time is over; returns how many."""
    over = AccessPackage.objects.exclude(stored_as="").filter(expires_at__lte=timezone.now())
    return sum(remove(package, because=Removal.EXPIRED, by=ACTOR) for package in over[:100])


def remove_strays() -> int:
    """Chore: files in the room that no copy knows, of killed jobs, go after a day; returns how many."""
    known = set(AccessPackage.objects.exclude(stored_as="").values_list("stored_as", flat=True))
    yesterday = (timezone.now() - timedelta(days=1)).timestamp()
    strays = store.stray_names(known, older_than=yesterday, room=ROOM)
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def read(package: AccessPackage) -> Iterator[bytes]:
    """The file's bytes. Raises FileProblem when it is gone or damaged."""
    return store.read(package.stored_as, room=ROOM)
