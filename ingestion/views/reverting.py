"""Taking an import back: what it would do, the question, and how far it is."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cdp_site.core import reverts
from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import equation
from ingestion.import_display import Progress
from ingestion.models import FileImport
from ingestion.views.fetch import reader, visible_import


@requires(Permission.VIEW_SOURCES, Permission.REVERT_IMPORTS)
@require_http_methods(["GET", "POST"])
def revert(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The preview and its button; once pressed, how far it is."""
    file_import = visible_import(request, import_id)
    if file_import.operation_id is None or not Progress(file_import, equation.of_import(file_import)).is_settled:
        raise Http404
    if request.method == "POST":
        return _begin(request, file_import, file_import.operation_id)
    states = reverts.reverter().states([file_import.operation_id])
    state = states.get(file_import.operation_id)
    context = {
        "import": file_import,
        "revert": state,
        "foreseen": None if state else reverts.reverter().foresee(file_import.operation_id),
    }
    return render_page_or_fragment(request, "ingestion/import_revert.html", "ingestion/_import_revert.html", context)


def _begin(request: HttpRequest, file_import: FileImport, operation_id: UUID) -> HttpResponse:
    lifts_denials = request.POST.get("lifts_denials") == "yes"
    try:
        reverts.reverter().start(operation_id, lifts_denials=lifts_denials, by=reader(request))
    except ConflictProblem as problem:
        messages.error(request, str(problem.message))
    else:
        messages.success(request, _("The import is being taken back. You may leave this page."))
    return redirect("ingestion:import_revert", file_import.pk)
