"""Configuration in the Django admin: users and departments. Customers' data, ledgers and the audit are never here.

`AuditedAdmin` is the base of every admin of the product: what is changed here is in the audit, as anywhere else.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.login import sessions
from cdp_site.core.models import Department, User

admin.site.site_header = _("Configuration")
admin.site.site_title = _("Configuration")
admin.site.index_title = _("What the platform knows about the company")

# Groups are departments' own and follow them; jobs and schedules are the program's, not configuration; second factors
# are each person's own.
admin.site.unregister(Group)
for _app in ("django_q", "account", "mfa", "socialaccount"):
    _config = apps.get_app_config(_app)
    import_module(f"{_config.name}.admin")  # it registers them
    for _model in _config.get_models():
        if admin.site.is_registered(_model):
            admin.site.unregister(_model)


class AuditedAdmin(admin.ModelAdmin):
    """Every write leaves an audit row in the same transaction (Django's admin views are atomic)."""

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.note(request, "change" if change else "create", obj, form.changed_data)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        self.note(request, "delete", obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "models.QuerySet[Any]") -> None:
        for obj in queryset:
            self.note(request, "delete", obj)
        super().delete_queryset(request, queryset)

    def note(self, request: HttpRequest, verb: str, obj: models.Model, fields: Iterable[str] = ()) -> None:
        audit.record(action=f"{self.opts.model_name}.{verb}", target=obj, by=cast("User", request.user), fields=fields)


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):
    """People who work with the product. The role says what they may do, the department what they may see."""

    list_display = ("username", "first_name", "last_name", "role", "department", "is_active", "last_login")
    list_filter = ("role", "department", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    actions = ("remove_second_factors",)
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "language")}),
        (_("Access"), {"fields": ("role", "department")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "role", "department", "password1", "password2")}),
    )

    @admin.action(description=_("Remove code app, passkeys and recovery codes"))
    @transaction.atomic
    def remove_second_factors(self, request: HttpRequest, users: "models.QuerySet[User]") -> None:
        """For who lost phone and passkey: the next login takes the password alone. Sessions end; each is audited."""
        for user in users:
            Authenticator.objects.filter(user=user).delete()
            sessions.end_all(user)
        self.message_user(request, _("Removed. The next login takes the password alone."), messages.SUCCESS)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: the audit speaks of users for ever. They are made inactive."""
        return False

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Django's view, which calls its parameter `id`; its transaction now holds the audit row as well."""
        before = self.get_object(request, id)
        response = super().user_change_password(request, id, form_url)
        after = self.get_object(request, id)
        if before is not None and after is not None and before.password != after.password:
            self.note(request, "change", after, ["password"])
        return response


@admin.register(Department)
class DepartmentAdmin(AuditedAdmin):
    """What it may see of other departments is granted on the page "Access"."""

    list_display = ("name", "name_th", "slug")
