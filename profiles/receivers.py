"""What profiles do when the apps below them tell something."""

from typing import Any

from django.dispatch import receiver

from cdp_site.core import jobs
from ingestion.signals import trust_changed


@receiver(trust_changed)
def refresh_golden_of_source(sender: Any, *, source_id: int, **kwargs: Any) -> None:
    jobs.enqueue("profiles.jobs.refresh_golden_of_source", source_id)
