"""Sources in the Django admin, as configuration. What they send is never here."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest

from cdp_site.core.admin import AuditedAdmin
from ingestion.forms import KINDS
from ingestion.models import Source
from ingestion.signals import trust_changed


@admin.register(Source)
class SourceAdmin(AuditedAdmin):
    """Systems of the company; this platform's own source is no configuration."""

    list_display = ("name", "slug", "kind", "department", "trust_rank", "is_active")
    list_filter = ("kind", "department", "is_active")
    search_fields = ("name", "slug")
    fields = (
        *("name", "slug", "kind", "department", "trust_rank", "phone_region", "is_active"),
        *("allowed_origins", "rate_per_second"),
    )

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[Any]":
        return Source.objects.external()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Identifiers and phone numbers that came already were read with the short name and the region."""
        return () if obj is None else ("slug", "phone_region")

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            kwargs["choices"] = KINDS
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "trust_rank" in form.changed_data:
            trust_changed.send(sender=Source, source_id=obj.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: records point to it. A source is switched off."""
        return False
