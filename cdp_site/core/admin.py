"""Configuration in the Django admin: users and departments. Customers' data, ledgers and the audit are never here.

`AuditedAdmin` is the base of every admin of the product: what is changed here is in the audit, as anywhere else.
"""

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from guardian.shortcuts import assign_perm, get_objects_for_group, remove_perm

from cdp_site.core import audit
from cdp_site.core.access import ContainerQuerySet
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


def containers() -> Iterator[type[models.Model]]:
    """The models that belong to departments: sources, event types, trait groups."""
    return (model for model in apps.get_models() if isinstance(model._default_manager.none(), ContainerQuerySet))


class DepartmentForm(forms.ModelForm):
    """A department and the containers of other departments that it may see (django-guardian grants)."""

    class Meta:
        model = Department
        fields = ("slug", "name", "name_th")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for model in containers():
            name = _field_name(model)
            self.fields[name] = forms.ModelMultipleChoiceField(
                queryset=model._default_manager.exclude(department=None).exclude(department=self.instance.pk),
                required=False,
                label=_("May also see: %(what)s") % {"what": model._meta.verbose_name_plural},
                widget=FilteredSelectMultiple(str(model._meta.verbose_name_plural), is_stacked=False),
            )
            if self.instance.pk:
                self.initial[name] = list(_granted(self.instance, model).values_list("pk", flat=True))

    def grant(self) -> None:
        """Make the department's grants those of the form."""
        for model in containers():
            wanted, held = set(self.cleaned_data[_field_name(model)]), set(_granted(self.instance, model))
            permission = f"view_{model._meta.model_name}"
            for container in wanted - held:
                assign_perm(permission, self.instance.group, container)
            for container in held - wanted:
                remove_perm(permission, self.instance.group, container)


def _field_name(model: type[models.Model]) -> str:
    return f"sees_{model._meta.model_name}"


def _granted(department: Department, model: type[models.Model]) -> "models.QuerySet[Any]":
    permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
    return get_objects_for_group(department.group, permission, klass=model, accept_global_perms=False)


@admin.register(Department)
class DepartmentAdmin(AuditedAdmin):
    list_display = ("name", "name_th", "slug")
    form = DepartmentForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["slug", "name", "name_th", *(_field_name(model) for model in containers())]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form's own: Django would look for model fields of the names of the grants."""
        return DepartmentForm

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.grant()
