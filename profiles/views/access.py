"""Who sees what: the matrix of departments, and looking with another's eyes."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core import audit, stand_in
from cdp_site.core.access import Permission, may, requires
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from profiles import access_matrix
from profiles.access_forms import ChangeForm, ViewAsForm
from profiles.views.fetch import reader


@requires(Permission.VIEW_ACCESS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Departments against the containers of one kind."""
    kind = request.GET.get("of", "sources")
    context = _context(request, kind) | {"matrix": access_matrix.read(kind), "form": ViewAsForm()}
    return render_page_or_fragment(request, "profiles/access.html", "profiles/_access.html", context)


@requires(Permission.VIEW_ACCESS, Permission.MANAGE_ACCESS)
@require_POST
def change(request: HttpRequest, kind: str, container_id: int, department_id: int) -> HttpResponse:
    """Let a department see something, or no longer; htmx gets the row again."""
    form = ChangeForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=400)
    row = access_matrix.change(
        kind=kind,
        container_id=container_id,
        department_id=department_id,
        sees=form.cleaned_data["sees"] == "yes",
        by=reader(request),
    )
    if not wants_fragment(request):
        return redirect(f"{reverse('profiles:access')}?of={kind}")
    return render(request, "profiles/_access_row.html", _context(request, kind) | {"row": row})


@requires(Permission.VIEW_ACCESS)
@require_GET
def show_reading(request: HttpRequest) -> HttpResponse:
    """How each trait is read by a role of a department: shown, masked or hidden."""
    form = ViewAsForm(request.GET)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        somebody = stand_in.example(role=form.cleaned_data["role"], department=form.cleaned_data["department"])
        context |= {"traits": access_matrix.reading_of(somebody), "somebody": somebody}
    return render(request, "profiles/access_reading.html", context, status=200 if form.is_valid() else 422)


@requires(Permission.VIEW_AS)
@require_POST
def view_as(request: HttpRequest) -> HttpResponse:
    """Look with the eyes of a role and a department from now on."""
    form = ViewAsForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a role."))
        return redirect("profiles:access")
    role, department = form.cleaned_data["role"], form.cleaned_data["department"]
    with transaction.atomic():
        target = ("core.Department", department.pk if department else "")
        audit.record(action="access.view_as", target=target, by=reader(request), fields=[role])
    request.session[stand_in.SESSION_KEY] = {"role": role, "department": department.pk if department else None}
    return redirect("home")


@requires()
@require_POST
def stop_viewing(request: HttpRequest) -> HttpResponse:
    """Back to one's own eyes."""
    if request.session.pop(stand_in.SESSION_KEY, None) is not None:
        with transaction.atomic():
            audit.record(action="access.view_as_end", target=reader(request), by=reader(request))
    return redirect("home")


def _context(request: HttpRequest, kind: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "kinds": [(key, title) for key, (_model, title) in access_matrix.KINDS.items()],
        "may_change": may(reader(request), Permission.MANAGE_ACCESS),
    }
