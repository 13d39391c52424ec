"""Who may call a REST endpoint: nobody, unless its view says otherwise.

Apart from `rest`, since REST framework reads this while its own views are still being imported.
"""

from typing import Any

from rest_framework.permissions import BasePermission


class DenyAll(BasePermission):
    """DRF's default here: a view must name its own permission class."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return False
