"""Purposes in the Django admin. The ledger and requests are never edited there."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from cdp_site.core.admin import AuditedAdmin
from consent.models import Purpose


@admin.register(Purpose)
class PurposeAdmin(AuditedAdmin):
    list_display = ("name", "name_th", "basis", "is_active", "position")
    list_filter = ("basis", "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The short name stands in files and events: a purpose that is in use keeps it."""
        return () if obj is None else ("slug",)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Sequence[str]]:
        return {"slug": ("name",)} if obj is None else {}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: the ledger speaks of it for ever. A purpose is made inactive."""
        return False
