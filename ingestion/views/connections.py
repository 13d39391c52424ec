"""Connections: what the platform fetches by itself, from databases and from watched folders."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from ingestion.connections import pulls, watched_folders
from ingestion.connections.connection_forms import FolderForm, PullForm
from ingestion.connections.wording_pulls import FOLDER_TEXTS, PULL_TEXTS
from ingestion.models import Pull, WatchedFolder
from ingestion.views.fetch import reader, visible_folder, visible_pull


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_GET
def list_connections(request: HttpRequest) -> HttpResponse:
    user = reader(request)
    databases = Pull.objects.visible_to(user).with_source()
    folders = WatchedFolder.objects.visible_to(user).with_source()
    context = {
        "databases": [(pull, PULL_TEXTS.get(pull.problem, "")) for pull in databases],
        "folders": [(folder, FOLDER_TEXTS.get(folder.problem, "")) for folder in folders],
        "hosts": settings.PULL_HOSTS,
        "roots": settings.WATCHED_FOLDERS_ROOTS,
    }
    return render(request, "ingestion/connections.html", context)


@sensitive_post_parameters("address")
@sensitive_variables("form")
@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def edit_pull(request: HttpRequest, pull_id: int | None = None) -> HttpResponse:
    """A new one without an id."""
    pull = None if pull_id is None else visible_pull(request, pull_id)
    form = PullForm.of(pull, user=reader(request), data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            pulls.save(pull=pull, **form.cleaned_data, by=reader(request))
        except MendableError as problem:
            form.add_error(problem.field, str(problem.message))
        else:
            messages.success(request, _("Saved."))
            return redirect("ingestion:connections")
    return _form_page(request, "ingestion/connection_pull.html", {"form": form, "pull": pull})


@sensitive_post_parameters("address")
@sensitive_variables("form")
@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def try_pull(request: HttpRequest, pull_id: int | None = None) -> HttpResponse:
    """Ask for one row by what is in the form; nothing is saved."""
    pull = None if pull_id is None else visible_pull(request, pull_id)
    form = PullForm.of(pull, user=reader(request), data=request.POST)
    asked = {name: request.POST.get(name, "") for name in ("address", "relation", "cursor_column")}
    context: dict[str, Any] = {"form": form, "pull": pull}
    try:
        context["columns"] = pulls.test(pull=pull, **asked, by=reader(request))
    except MendableError as problem:
        context["problem"] = problem.message
    return render_page_or_fragment(request, "ingestion/connection_pull.html", "ingestion/_pull_test.html", context)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def run_pull(request: HttpRequest, pull_id: int) -> HttpResponse:
    pulls.run_now(pull=visible_pull(request, pull_id), by=reader(request))
    messages.success(request, _("The database is being asked. New rows appear as an import."))
    return redirect("ingestion:connections")


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def edit_folder(request: HttpRequest, folder_id: int | None = None) -> HttpResponse:
    """A new one without an id."""
    folder = None if folder_id is None else visible_folder(request, folder_id)
    form = FolderForm.of(folder, user=reader(request), data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            watched_folders.save(folder=folder, **form.cleaned_data, by=reader(request))
        except MendableError as problem:
            form.add_error(problem.field, str(problem.message))
        else:
            messages.success(request, _("Saved."))
            return redirect("ingestion:connections")
    return _form_page(request, "ingestion/connection_folder.html", {"form": form, "folder": folder})


def _form_page(request: HttpRequest, page: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, page, context, status=422 if request.method == "POST" else 200)
