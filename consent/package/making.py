"""The job that makes a copy: gathered, written into the sealed store, ready to be fetched. Killed at any point, it
begins anew; nothing of a half-written file stays."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from cdp_site.core import audit, jobs
from cdp_site.core.models import User
from consent import subjects
from consent.models import AccessPackage, DataSubjectRequest
from consent.package import writing
from consent.requests import machine
from ingestion.files import store
from profiles.models import Profile

log = structlog.get_logger("package")

JOB: Final = "consent.jobs.make_package"
ROOM: Final = "packages"
ACTOR: Final = "system:package"
LEASE: Final = timedelta(minutes=15)
MOST_ATTEMPTS: Final = 5
NOBODY: Final = "nobody"  # the person is not there any more

Status, Removal = AccessPackage.Status, AccessPackage.Removal
Asked = DataSubjectRequest.Status


@transaction.atomic
def start(request: DataSubjectRequest) -> AccessPackage:
    """Have the copy made that answers an approved request, or made again after a failure. The caller has it locked."""
    fresh = {"status": Status.WAITING, "subject": request.subject, "attempts": 0, "lease_until": None, "problem": ""}
    package, _is_new = AccessPackage.objects.update_or_create(request=request, defaults=fresh)
    jobs.enqueue(JOB, package.pk)
    return package


def run(package_id: UUID) -> None:
    """Make the copy, unless it is made already or another job makes it. Idempotent."""
    package = _take(package_id)
    if package is None:
        return
    try:
        _make(package)
    except Exception as error:  # a person is told, by its kind alone: the message may hold a value
        cause = error.__cause__ if isinstance(error, DatabaseError) else None
        state = getattr(cause, "sqlstate", None)
        _fail(package, f"{type(error).__name__} {state}" if state else type(error).__name__)


def resume() -> int:
    """Enqueue the copies whose job has died; returns how many. For the clock."""
    now = timezone.now()
    waiting = AccessPackage.objects.filter(Q(lease_until=None) | Q(lease_until__lt=now), status=Status.WAITING)
    abandoned = list(waiting.filter(request__status__in=[Asked.APPROVED, Asked.RUNNING]).values_list("pk", flat=True))
    with transaction.atomic():
        for package_id in abandoned:
            jobs.enqueue(JOB, package_id)
    return len(abandoned)


def _take(package_id: UUID) -> AccessPackage | None:
    now = timezone.now()
    with transaction.atomic():
        held = AccessPackage.objects.select_for_update(skip_locked=True).filter(pk=package_id, status=Status.WAITING)
        package = held.filter(Q(lease_until=None) | Q(lease_until__lt=now)).select_related("request").first()
        if package is None:
            return None
        package.attempts, package.lease_until = package.attempts + 1, now + LEASE
        package.save(update_fields=["attempts", "lease_until"])
        if package.request.status in (Asked.APPROVED, Asked.PARTIAL):
            package.request.started_at = now
            machine.move(package.request, Asked.RUNNING, "started_at")
    if package.attempts > MOST_ATTEMPTS:
        _fail(package, "gave_up")
        return None
    return package


def _make(package: AccessPackage) -> None:
    subject = subjects.find(package.subject) if package.subject else None
    # Of a profile that was merged into another the copy is of the one person whom both are.
    profile = Profile.objects.filter(public_id=package.subject).select_related("redirect_to").first()
    profile = profile.redirect_to or profile if profile else None
    if subject is None or profile is None or profile.state != Profile.State.LIVE:
        _fail(package, NOBODY)
        return
    with store.Writer(ROOM) as writer:
        counts = writing.write(writer, package.request, profile, subject)
        stored = writer.finish()
    try:
        _keep(package, stored, counts)
    except BaseException:
        store.remove(stored.name, ROOM)
        raise


@transaction.atomic
def _keep(package: AccessPackage, stored: store.StoredFile, counts: dict[str, int]) -> None:
    now = timezone.now()
    held = AccessPackage.objects.select_for_update().get(pk=package.pk)
    request = machine.locked(held.request_id, [Asked.RUNNING])
    held.status, held.made_at, held.lease_until = Status.READY, now, None
    held.expires_at = now + timedelta(days=settings.PACKAGE_DAYS)
    held.stored_as, held.size, held.counts = stored.name, stored.size, counts
    held.removed_because, held.fetched_at, held.link_hash, held.code_hash = "", None, None, None
    held.save()
    request.completed_at, request.outcome = now, {**request.outcome, "tables": counts}
    machine.move(request, Asked.COMPLETED, "completed_at", "outcome")
    audit.record(action="package.make", target=held, by=ACTOR, fields=["file"])
    audit.record(action="request.complete", target=request, by=ACTOR, fields=["status"])


@transaction.atomic
def _fail(package: AccessPackage, problem: str) -> None:
    held = AccessPackage.objects.select_for_update().get(pk=package.pk)
    held.status, held.problem, held.lease_until = Status.FAILED, problem[:60], None
    held.save(update_fields=["status", "problem", "lease_until"])
    request = DataSubjectRequest.objects.select_for_update().get(pk=held.request_id)
    if request.status == Asked.RUNNING:
        machine.move(request, Asked.PARTIAL)
    audit.record(action="package.fail", target=held, by=ACTOR, fields=["status"])
    log.error("package_failed", package=str(held.pk), error=problem)


# --- the end of a file ----------------------------------------------------------------------------------------------


@transaction.atomic
def remove(package: AccessPackage, *, because: str, by: User | str) -> bool:
    """Remove the file and its link; False when there was none."""
    held = AccessPackage.objects.select_for_update().get(pk=package.pk)
    if not held.stored_as:
        return False
    name = held.stored_as
    transaction.on_commit(lambda: store.remove(name, ROOM))
    held.status, held.stored_as, held.removed_because = Status.REMOVED, "", because
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
