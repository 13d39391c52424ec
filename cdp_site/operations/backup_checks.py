"""Refuses settings under which an erased person would stay in a backup for too long."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, register

MOST_DAYS = 35  # PDPC's notice on PDPA s.33: 90 days for everything, of which the request itself takes its part


@register()
def backups_go_in_time(app_configs: Any, **kwargs: Any) -> list[Error]:
    """BACKUP_DAYS from 1 to 35."""
    if 1 <= settings.BACKUP_DAYS <= MOST_DAYS:
        return []
    hint = "Whoever is erased must be gone from every backup soon after."
    return [Error(f"BACKUP_DAYS must be from 1 to {MOST_DAYS}.", hint=hint, id="operations.E002")]
