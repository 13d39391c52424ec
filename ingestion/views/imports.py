"""File imports: upload, progress, cancel; the mapping before the start is `views.mapping`."""

import csv
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core import reverts
from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import equation, imports, reports
from ingestion.files.problems import FileProblem
from ingestion.import_display import Progress
from ingestion.import_forms import UploadForm
from ingestion.models import FileImport
from ingestion.uploads import SealedUpload, SealingUploadHandler
from ingestion.views import mapping
from ingestion.views.fetch import reader, visible_import

LISTED = 100


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def list_imports(request: HttpRequest) -> HttpResponse:
    """The imports that were begun last."""
    found = FileImport.objects.visible_to(reader(request)).with_source().newest_first()[:LISTED]
    return render(request, "ingestion/imports.html", {"imports": found})


@csrf_exempt  # the token is checked by _take_upload: looking for it here would read the body with the wrong handler
@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    handler = SealingUploadHandler(request)
    request.upload_handlers = [handler]
    try:
        return _take_upload(request, handler)
    finally:
        handler.discard()


@csrf_protect
def _take_upload(request: HttpRequest, handler: SealingUploadHandler) -> HttpResponse:
    user = reader(request)
    form = UploadForm(request.POST or None, request.FILES or None, user=user, initial=request.GET.dict())
    if request.method == "POST":
        problem: MendableError | None = handler.problem
        if problem is None and form.is_valid():
            file: SealedUpload = form.cleaned_data["file"]
            try:
                return redirect("ingestion:import", file.keep(source=form.cleaned_data["source"], by=user).pk)
            except FileProblem as refused:
                problem = refused
        if problem is not None:
            form.full_clean()
            form.errors.pop("file", None)
            form.add_error("file", str(problem.message))
    status = 422 if request.method == "POST" else 200
    return render(request, "ingestion/import_new.html", {"form": form}, status=status)


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def show(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """An import's page: its mapping before it starts, its progress and account after."""
    file_import = visible_import(request, import_id)
    if file_import.status != FileImport.Status.UPLOADED:
        return render(request, "ingestion/import.html", _progress_context(file_import))
    return mapping.begin(request, file_import)


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def progress(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """How far it is; the page asks again while anything is under way."""
    context = _progress_context(visible_import(request, import_id))
    return render_page_or_fragment(request, "ingestion/import.html", "ingestion/_import_progress.html", context)


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_POST
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    file_import = visible_import(request, import_id)
    imports.cancel(file_import=file_import, by=reader(request))
    messages.success(request, _("The import is cancelled. What was read before stays."))
    return redirect("ingestion:import", file_import.pk)


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def broken_rows(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The rows that were left out as a file: line, reason, column; never what they said."""
    file_import = visible_import(request, import_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="broken-rows-{file_import.pk}.csv"'
    response.write("\ufeff")  # so that a spreadsheet reads the Thai
    csv.writer(response).writerows(Progress(file_import, equation.of_import(file_import)).broken_table)
    return response


# --- what the pages show --------------------------------------------------------------------------------------------


def _progress_context(file_import: FileImport) -> dict[str, Any]:
    operation = file_import.operation_id
    state = reverts.reverter().states([operation]).get(operation) if operation else None
    progress = Progress(file_import, equation.of_import(file_import), state)
    return {"progress": progress, "import": file_import, "report_url": reports.address(file_import)}
