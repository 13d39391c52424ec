"""One change of a customer at a time."""

from django.db import connection
from django.utils.translation import gettext as _

from cdp_site.core.errors import ConflictProblem
from profiles.models import Profile
from profiles.resolution import pipeline

_EDIT_LOCK = 0xED17


def hold(profile: Profile) -> None:
    """Until the transaction ends nobody else edits the customer, and nobody moves its records.

    Raises ConflictProblem when the customer was merged.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_EDIT_LOCK, profile.pk % 2**31])
    pipeline.share_merge_lock()
    if not Profile.objects.live().filter(pk=profile.pk).exists():
        raise ConflictProblem(_("This customer has just been merged."), hint=_("Open the customer again."))
