"""Alerts as people meet them: which are open, and that somebody has taken care."""

from django.db import transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.models import User
from ingestion.health.querysets import AlertQuerySet
from ingestion.models import Alert


def open_for(user: User) -> AlertQuerySet:
    """Open alerts of the sources that the user may see, the newest first."""
    return Alert.objects.visible_to(user).open().with_source().newest_first()


def count_for(user: User) -> int:
    """How many are open and nobody has acknowledged. One query."""
    return Alert.objects.visible_to(user).open().unacknowledged().count()


@transaction.atomic
def acknowledge(*, alert: Alert, by: User) -> bool:
    """Somebody takes care of it: it leaves the badge and stays in the list until it is over. False when it was
    acknowledged before."""
    held = Alert.objects.select_for_update().get(pk=alert.pk)
    if held.acknowledged_at is not None:
        return False
    held.acknowledged_at, held.acknowledged_by = timezone.now(), by
    held.save(update_fields=["acknowledged_at", "acknowledged_by"])
    audit.record(action="alert.acknowledge", target=held, by=by)
    return True
