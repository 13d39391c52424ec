"""Who may do what: deny by default, every view carries `@requires` or `@public`.

A *permission* comes with the role. A *scope* says which containers (sources, event types, trait groups) a
user's department may see; what lies outside is absent from pages, counts, search and golden values.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Self, TypeVar

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect
from guardian.models import GroupObjectPermission
from guardian.shortcuts import get_objects_for_user

from cdp_site.core import scope_sql
from cdp_site.core.api_errors import error_response, wants_json
from cdp_site.core.errors import AuthenticationProblem
from cdp_site.core.login import addresses
from cdp_site.core.login.fresh import fresh_login
from cdp_site.core.models import Role, User

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
ADMIN_MINUTES = 15  # a login lasts so long in the configuration, where one form is filled in after the other


class Permission(StrEnum):
    VIEW_CUSTOMERS = "view_customers"
    EDIT_CUSTOMERS = "edit_customers"  # notes, agent's edits
    HANDLE_CASES = "handle_cases"  # open, follow up, hand over and close what customers wait for
    MERGE_PROFILES = "merge_profiles"
    SEE_IDENTIFIERS = "see_identifiers"  # direct identifiers unmasked, of every customer
    REVEAL_IDENTIFIERS = "reveal_identifiers"  # of one customer, for a reason or a verified call
    SEE_ALL_DEPARTMENTS = "see_all_departments"
    BUILD_SEGMENTS = "build_segments"
    WRITE_SCRIPTS = "write_scripts"  # what agents say to whom
    VIEW_SEGMENTS = "view_segments"
    EXPORT_SEGMENTS = "export_segments"
    VIEW_CATALOGUE = "view_catalogue"
    MANAGE_CATALOGUE = "manage_catalogue"  # which words mean the same
    VIEW_SOURCES = "view_sources"
    MANAGE_SOURCES = "manage_sources"
    IMPORT_FILES = "import_files"
    REVERT_IMPORTS = "revert_imports"  # take out of the profiles what a file brought
    MANAGE_QUARANTINE = "manage_quarantine"
    RECORD_CONSENT = "record_consent"
    VIEW_REQUESTS = "view_requests"
    MANAGE_REQUESTS = "manage_requests"
    APPROVE_REQUESTS = "approve_requests"
    VIEW_AUDIT = "view_audit"
    VIEW_ACCESS = "view_access"  # which department sees what
    MANAGE_ACCESS = "manage_access"
    VIEW_AS = "view_as"  # look with the eyes of another role and department, changing nothing
    MANAGE_CONFIGURATION = "manage_configuration"  # the Django admin


P = Permission
ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.AGENT: frozenset(
        {
            P.VIEW_CUSTOMERS,
            P.EDIT_CUSTOMERS,
            P.HANDLE_CASES,
            P.REVEAL_IDENTIFIERS,
            P.RECORD_CONSENT,
            P.VIEW_CATALOGUE,
        }
    ),
    Role.MARKETER: frozenset(
        {
            P.VIEW_CUSTOMERS,
            P.HANDLE_CASES,
            P.VIEW_SEGMENTS,
            P.BUILD_SEGMENTS,
            P.EXPORT_SEGMENTS,
            P.WRITE_SCRIPTS,
            P.VIEW_CATALOGUE,
            P.MANAGE_CATALOGUE,
            P.VIEW_SOURCES,
        }
    ),
    Role.STEWARD: frozenset(
        {
            P.VIEW_CUSTOMERS,
            P.EDIT_CUSTOMERS,
            P.HANDLE_CASES,
            P.MERGE_PROFILES,
            P.SEE_IDENTIFIERS,
            P.SEE_ALL_DEPARTMENTS,
            P.VIEW_CATALOGUE,
            P.MANAGE_CATALOGUE,
            P.VIEW_SOURCES,
            P.MANAGE_SOURCES,
            P.IMPORT_FILES,
            P.REVERT_IMPORTS,
            P.MANAGE_QUARANTINE,
        }
    ),
    Role.COMPLIANCE: frozenset(
        {
            P.VIEW_CUSTOMERS,
            P.HANDLE_CASES,
            P.SEE_IDENTIFIERS,
            P.SEE_ALL_DEPARTMENTS,
            P.RECORD_CONSENT,
            P.VIEW_REQUESTS,
            P.MANAGE_REQUESTS,
            P.APPROVE_REQUESTS,
            P.VIEW_AUDIT,
            P.VIEW_ACCESS,
            P.VIEW_AS,
            P.VIEW_SOURCES,
        }
    ),
    Role.ANALYST: frozenset({P.VIEW_SEGMENTS, P.BUILD_SEGMENTS, P.VIEW_CATALOGUE, P.VIEW_SOURCES}),
    # Configures every department's containers, and sees no customer.
    Role.ADMIN: frozenset(
        {
            P.MANAGE_CONFIGURATION,
            P.VIEW_ACCESS,
            P.MANAGE_ACCESS,
            P.VIEW_AS,
            P.SEE_ALL_DEPARTMENTS,
            P.VIEW_SOURCES,
            P.MANAGE_SOURCES,
            P.REVERT_IMPORTS,
            P.VIEW_AUDIT,
        }
    ),
}


# What shows customers: who looks with another role's eyes needs it in their own role as well.
OF_CUSTOMERS = frozenset(
    {
        P.VIEW_CUSTOMERS,
        P.SEE_IDENTIFIERS,
        P.REVEAL_IDENTIFIERS,
        P.SEE_ALL_DEPARTMENTS,
        P.MERGE_PROFILES,
        P.EXPORT_SEGMENTS,
        P.MANAGE_QUARANTINE,
        P.VIEW_REQUESTS,
    }
)


# What a delegate may do besides what their role may (`User.decides_from`): look at requests and decide on them.
DELEGABLE = frozenset({P.VIEW_REQUESTS, P.APPROVE_REQUESTS})


def may(user: User | AnonymousUser, permission: Permission) -> bool:
    """True when the user's role carries the permission; of a program, when its key's scopes do. Superusers get no more
    than their role."""
    if not isinstance(user, User) or not user.is_active:
        return False
    if user.key_permissions is not None:
        return permission in user.key_permissions
    if permission not in ROLE_PERMISSIONS.get(user.role, frozenset()):
        return permission in DELEGABLE and is_delegate(user)
    return not is_stand_in(user) or permission not in OF_CUSTOMERS or permission in ROLE_PERMISSIONS[own_role(user)]


def is_delegate(user: User) -> bool:
    """Whether somebody of compliance has appointed the user to decide on requests, for these days."""
    if user.decides_from is None or user.decides_until is None or is_stand_in(user):
        return False
    return user.decides_from <= timezone.localdate() <= user.decides_until


def own_role(user: User) -> str:
    """The role of the person, also while they look with another's eyes (`core.stand_in`)."""
    role: str = getattr(user, "own_role", None) or user.role
    return role


def own_department(user: User) -> int | None:
    return getattr(user, "own_department_id", user.department_id) if is_stand_in(user) else user.department_id


def is_stand_in(user: object) -> bool:
    return getattr(user, "own_role", None) is not None


@dataclass(frozen=True)
class Scope:
    """What a user may see; None means everything. A set lists the visible container ids or names.

    `hidden_traits` are the names of the traits in groups that are not visible: for whoever meets a value by its name.
    `hides_sensitive`: no group of sensitive traits is visible, so that what only sounds sensitive is hidden as well.
    """

    source_ids: frozenset[int] | None
    event_type_ids: frozenset[int] | None
    trait_groups: frozenset[str] | None
    hidden_traits: frozenset[str] = frozenset()
    hides_sensitive: bool = False

    @property
    def is_unrestricted(self) -> bool:
        return self.source_ids is None and self.event_type_ids is None and self.trait_groups is None

    def sees_source(self, source_id: int) -> bool:
        return self.source_ids is None or source_id in self.source_ids

    def sees_event_type(self, event_type_id: int) -> bool:
        return self.event_type_ids is None or event_type_id in self.event_type_ids

    def sees_trait_group(self, slug: str) -> bool:
        return self.trait_groups is None or slug in self.trait_groups


EVERYTHING = Scope(None, None, None)
NOTHING = Scope(frozenset(), frozenset(), frozenset())


class ContainerQuerySet(models.QuerySet[Any]):
    """Queryset of a container model (has a nullable `department`): what a user may see of it."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Common ones, those of the user's department, and those granted by guardian. One query when evaluated."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if may(user, Permission.SEE_ALL_DEPARTMENTS):
            return self.all()
        permission = f"view_{self.model._meta.model_name}"
        if is_stand_in(user) or user.machine_key is not None:
            return self.filter(self._of_department(user.department_id))
        # Grants are on single containers; asking for global ones too would cost two queries a request.
        granted = get_objects_for_user(
            user, permission, klass=self.model, use_groups=False, accept_global_perms=False, with_superuser=False
        ).values("pk")
        return self.filter(models.Q(pk__in=granted) | self._of_department(user.department_id))

    def _of_department(self, department_id: int | None) -> models.Q:
        """Common ones, and those that the department owns or was granted."""
        seen = models.Q(department__isnull=True)
        if department_id is not None:
            seen |= models.Q(department_id=department_id) | models.Q(pk__in=self.granted_to(department_id))
        return seen

    def granted_to(self, department_id: int) -> "models.QuerySet[Any, Any]":
        """Keys granted to the department's group. A user belongs to a department, never to its group."""
        return GroupObjectPermission.objects.filter(
            group__department=department_id,
            permission__codename=f"view_{self.model._meta.model_name}",
            content_type__app_label=self.model._meta.app_label,
            content_type__model=self.model._meta.model_name,
        ).values_list(Cast("object_pk", models.BigIntegerField()))


def scope_of(user: User | AnonymousUser) -> Scope:
    """The user's scope; one query, remembered on the user object for this request.

    Who sees all departments still sees no group of sensitive traits that their own department was not granted.
    """
    if not isinstance(user, User) or not user.is_active:
        return NOTHING
    remembered: Scope | None = getattr(user, "_scope", None)
    if remembered is None:
        remembered = _read_scope(user)
        user._scope = remembered  # type: ignore[attr-defined]
    return remembered


def _read_scope(user: User) -> Scope:
    sees_all, is_other = may(user, Permission.SEE_ALL_DEPARTMENTS), is_stand_in(user)
    found: dict[str, set[str]] = defaultdict(set)
    for kind, name in scope_sql.names(
        user=None if is_other else user.pk,
        department=user.department_id,
        own_department=own_department(user),
        is_stand_in=is_other,
        sees_all=sees_all,
    ):
        found[kind].add(name)
    return Scope(
        source_ids=None if sees_all else frozenset(map(int, found[scope_sql.SOURCE])),
        event_type_ids=None if sees_all else frozenset(map(int, found[scope_sql.EVENT_TYPE])),
        trait_groups=frozenset(found[scope_sql.GROUP]),
        hidden_traits=frozenset(found[scope_sql.HIDDEN]),
        hides_sensitive=not found[scope_sql.SENSITIVE],
    )


def public(view: View) -> View:
    """Marks a view that needs no login (login page, health, event API with its own keys)."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def requires(*permissions: Permission) -> Callable[[View], View]:
    """Login and all of the permissions. Without login: to the login page; without permission: 404, never a hint."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return login_response(request)
            if not all(may(request.user, permission) for permission in permissions):
                raise Http404
            return view(request, *args, **kwargs)

        guarded.access = permissions  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def login_response(request: HttpRequest, *, ended: str = "") -> HttpResponse:
    """What somebody without a session gets: 401 for machines, a client redirect for htmx, else the login page, which
    leads back to where they were. `ended` says why a session is over."""
    if wants_json(request):
        return error_response(AuthenticationProblem("Log in first."))
    address = addresses.login_address(request, ended=ended)
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(address)
    return redirect(address)


def admin_gate(site: AdminSite, permission: Permission) -> None:
    """The Django admin opens to a role, not to `is_staff`; within it everything registered may be edited.

    Who lacks the permission gets what `requires` gives: the login page, or 404. The admin has no login of its own, and
    takes one of the last minutes.
    """

    def guard(view: View) -> View:
        return requires(permission)(fresh_login(minutes=ADMIN_MINUTES)(view))

    admin_view = site.admin_view

    def guarded_view(view: Any, cacheable: bool = False) -> Any:
        return guard(admin_view(view, cacheable))

    site.has_permission = lambda request: may(request.user, permission)  # type: ignore[method-assign]
    site.admin_view = guarded_view  # type: ignore[method-assign]
    site.login = guard(lambda request, extra_context=None: redirect("admin:index"))  # type: ignore[method-assign]
    site.access = (permission,)  # type: ignore[attr-defined]
