"""What things are called, whose they are and what money is worth, in the Django admin: event types, trait groups,
traits, exchange rates. Customers and what they did are never here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from cdp_site.core.admin import AuditedAdmin
from profiles.models import EventType, ExchangeRate, Trait, TraitGroup


class DiscoveredAdmin(AuditedAdmin):
    """The digest discovers the rows: here they are named and given to departments, not made and not deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(EventType)
class EventTypeAdmin(DiscoveredAdmin):
    list_display = ("name", "name_th", "kind_of_data", "department")
    list_filter = ("kind_of_data", "department")
    search_fields = ("name", "name_th")
    readonly_fields = ("name",)


@admin.register(Trait)
class TraitAdmin(DiscoveredAdmin):
    list_display = ("name", "label", "label_th", "group", "data_type", "position")
    list_filter = ("group", "data_type")
    search_fields = ("name", "label", "label_th")
    readonly_fields = ("name",)


@admin.register(TraitGroup)
class TraitGroupAdmin(AuditedAdmin):
    list_display = ("name", "name_th", "kind_of_data", "is_sensitive", "department", "position")
    list_filter = ("kind_of_data", "is_sensitive", "department")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Traits and grants hold on to the short name."""
        return () if obj is None else ("slug",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a group that no trait is in any more, and never the one for what is discovered."""
        return obj is not None and obj.slug != "other" and not obj.traits.exists()


@admin.register(ExchangeRate)
class ExchangeRateAdmin(AuditedAdmin):
    list_display = ("currency", "valid_from", "rate")
    list_filter = ("currency",)
