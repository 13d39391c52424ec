"""Keys of programs: made for some months, shown once, rotated without a pause, revoked at once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, secret_keys
from cdp_site.core.errors import AuthenticationProblem, ConflictProblem, MendableError
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import Department, MachineKey, User

KIND = "key"  # what a key begins with: told apart from the write keys of sources by sight
LONGEST_DAYS = 730
USUAL_DAYS = 365
USUAL_RATE = 20  # requests a second
FASTEST = 1_000
OVERLAP = timedelta(hours=24)
"""How long the key that was rotated is still taken: until then the program has to be given the new one."""
SOON = timedelta(days=14)
_NOTE_USE_EVERY = timedelta(minutes=1)
_LONGEST_TEXT = 200  # characters; ours have 47


class State(StrEnum):
    LIVE = "live"
    ENDS_SOON = "ends_soon"
    REPLACED = "replaced"  # rotated, and still taken for a while
    ENDED = "ended"
    REVOKED = "revoked"


@transaction.atomic
def make(
    *,
    name: str,
    scopes: Collection[str],
    department: Department | None,
    days: int,
    by: User | str,
    rate_per_second: int = USUAL_RATE,
) -> tuple[MachineKey, str]:
    """A new key: the row, and the key itself, which cannot be had again. Raises MendableError with the field."""
    wanted = _checked_scopes(scopes, department)
    if not 1 <= days <= LONGEST_DAYS:
        raise MendableError(_("A key lasts from 1 to %(n)d days.") % {"n": LONGEST_DAYS}, field="days")
    if not 1 <= rate_per_second <= FASTEST:
        message = _("From 1 to %(n)d requests a second.") % {"n": FASTEST}
        raise MendableError(message, field="rate_per_second")
    row, text = _create(
        MachineKey(
            name=name,
            scopes=wanted,
            department=department,
            rate_per_second=rate_per_second,
            expires_at=timezone.now() + timedelta(days=days),
            created_by=by if isinstance(by, User) else None,
        )
    )
    audit.record(action="machine_key.make", target=row, by=by, fields=wanted)
    return row, text


@transaction.atomic
def rotate(*, key: MachineKey, by: User | str) -> tuple[MachineKey, str]:
    """The same key with a new secret, for as long as the former was made for; the former ends after OVERLAP. Raises
    ConflictProblem for one that has ended or was rotated before."""
    former = MachineKey.objects.select_for_update().get(pk=key.pk)
    now = timezone.now()
    if not former.is_live(now):
        raise ConflictProblem(_("This key has ended."), hint=_("Make a new one."))
    if MachineKey.objects.replacing(former).exists():
        raise ConflictProblem(_("This key was rotated before."), hint=_("Rotate the one that took its place."))
    row, text = _create(
        MachineKey(
            name=former.name,
            scopes=former.scopes,
            department=former.department,
            rate_per_second=former.rate_per_second,
            expires_at=now + (former.made_until - former.created_at),
            created_by=by if isinstance(by, User) else None,
            replaces=former,
        )
    )
    former.expires_at = min(former.expires_at, now + OVERLAP)
    former.save(update_fields=["expires_at"])
    audit.record(action="machine_key.rotate", target=row, by=by, fields=["secret_hash"])
    return row, text


@transaction.atomic
def revoke(*, key: MachineKey, by: User | str) -> None:
    """The key is refused from the next request on. Revoking it twice changes nothing."""
    if MachineKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        audit.record(action="machine_key.revoke", target=key, by=by, fields=["revoked_at"])


def state_of(key: MachineKey, now: datetime) -> State:
    """How a key stands; `key` with what took its place (`MachineKeyQuerySet.newest_first`)."""
    if key.revoked_at is not None:
        return State.REVOKED
    if not key.is_live(now):
        return State.ENDED
    if hasattr(key, "replaced_by"):
        return State.REPLACED
    return State.ENDS_SOON if key.expires_at - now <= SOON else State.LIVE


def verify(text: str) -> MachineKey:
    """The key, with its department; raises AuthenticationProblem for what is none, or none any more. One query, and one
    more a minute that notes the use."""
    row: MachineKey | None = None
    if len(text) <= _LONGEST_TEXT:
        row = MachineKey.objects.select_related("department").filter(secret_hash=secret_keys.digest(text)).first()
    if row is None:
        raise AuthenticationProblem("The key is not known.", hint="Send it as `Authorization: Bearer key_…`.")
    now = timezone.now()
    if not row.is_live(now):
        raise AuthenticationProblem(
            "The key has been revoked." if row.revoked_at else "The key has expired.",
            hint="An administrator makes a new one under Access.",
        )
    if row.last_used_at is None or now - row.last_used_at >= _NOTE_USE_EVERY:
        unnoted = models.Q(last_used_at__isnull=True) | models.Q(last_used_at__lte=now - _NOTE_USE_EVERY)
        MachineKey.objects.filter(unnoted, pk=row.pk).update(last_used_at=now)
    return row


def _create(row: MachineKey) -> tuple[MachineKey, str]:
    secret = secret_keys.make(KIND)
    row.prefix, row.secret_hash, row.made_until = secret.prefix, secret.digest, row.expires_at
    row.save(force_insert=True)
    return row, secret.text


def _checked_scopes(scopes: Collection[str], department: Department | None) -> list[str]:
    wanted = [scope.value for scope in KeyScope if scope in scopes]
    if not wanted or len(wanted) != len(set(scopes)):
        raise MendableError(_("Choose what the key may do."), field="scopes")
    if wanted == [KeyScope.IDENTIFIERS_READ]:
        raise MendableError(_("Identifiers are read of customers: let the key read customers, too."), field="scopes")
    if KeyScope.CUSTOMERS_MERGE in wanted and department is not None:
        raise MendableError(
            _("Who merges decides for every department."),
            field="department",
            hint=_("Choose all departments, or leave merging out."),
        )
    return wanted
