"""Signs of life of long-running processes: each overwrites its own row."""

import os
from typing import Any

from django.utils import timezone

from cdp_site.core.models import Heartbeat


def beat(name: str, **detail: Any) -> None:
    """Leave a sign of life of this process. One statement."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(name=name, at=timezone.now(), pid=os.getpid(), detail=detail)],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["at", "pid", "detail"],
    )
