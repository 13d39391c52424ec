"""Two transactions that waited for each other: the database ends one of them, and nothing of it is kept."""

from django.db import OperationalError
from django.utils.translation import gettext as _
from psycopg import errors

from cdp_site.core.errors import ConflictProblem

_COLLISIONS = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)


def as_conflict(error: Exception) -> ConflictProblem | None:
    """What the person whose transaction was ended is told: to try again. None for any other error."""
    if isinstance(error, OperationalError) and isinstance(error.__cause__, _COLLISIONS):
        return ConflictProblem(
            _("Somebody else changed the same thing at the same moment, so nothing of this was kept."),
            hint=_("Look again, and repeat it if it is still right."),
        )
    return None
