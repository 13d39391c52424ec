"""View as …: somebody who answers for access looks at the product with the eyes of a role and a department.

They remain who they are: the audit and the access log name them, nothing can be changed meanwhile, and of customers
they see what both they and the other may see, never more than by themselves.
"""

import copy
from collections.abc import Callable
from typing import Any, NoReturn, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from cdp_site.core.access import Permission, is_stand_in, may
from cdp_site.core.api_errors import error_response, wants_json
from cdp_site.core.errors import InternalError, MendableError
from cdp_site.core.models import Department, Role, User

ROLES = (Role.AGENT, Role.MARKETER, Role.ANALYST)
SESSION_KEY = "view_as"  # {"role": …, "department": id or None}
# What only reads although it is sent by POST, and the ways out.
ALLOWED_POSTS = frozenset(
    {
        *("profiles:stop_viewing", "logout", "set_language", "set_display"),
        *("profiles:search", "profiles:suggest", "palette"),
    }
)


class ViewOnlyProblem(MendableError):
    """Nothing is changed while somebody looks with another's eyes."""

    status = 403
    code = "view_only"


def of(user: User, *, role: str, department: Department | None) -> User:
    """The user as somebody of another role and department would see; cannot be saved."""
    other = copy.copy(user)
    for remembered in ("_scope", "_openings"):
        other.__dict__.pop(remembered, None)
    other.role, other.department = role, department
    other.own_role, other.own_department_id = user.role, user.department_id  # type: ignore[attr-defined]
    other.save = other.refresh_from_db = _refuse  # type: ignore[method-assign]
    return other


def example(*, role: str, department: Department | None) -> User:
    """Somebody of a role and department, who is nobody: to ask what such a person would see."""
    return of(User(username="example", role=role, department=department), role=role, department=department)


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    raise InternalError("somebody who looks with another's eyes is not saved")


class ViewAsMiddleware:
    """Puts the stand-in in the place of the user, and lets nothing through that would change something."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.session.get(SESSION_KEY)
        if chosen is not None and may(request.user, Permission.VIEW_AS):
            department = Department.objects.filter(pk=chosen["department"]).first()
            request.user = of(cast("User", request.user), role=chosen["role"], department=department)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not is_stand_in(request.user) or request.method in ("GET", "HEAD", "OPTIONS"):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in ALLOWED_POSTS:
            return None
        problem = ViewOnlyProblem(
            _("You are looking with another role's eyes: nothing can be changed."), hint=_("Stop viewing first.")
        )
        if wants_json(request):
            return error_response(problem)
        template = "core/_problem.html" if getattr(request, "htmx", False) else "core/problem.html"
        return render(request, template, {"problem": problem}, status=problem.status)
