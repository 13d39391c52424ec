"""Trying an import from the mapping screen: what it would do, counted."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import rehearsal
from ingestion.files import mapping
from ingestion.import_display import Trial
from ingestion.mapping_screen import looking_ahead, mapping_form
from ingestion.models import FileImport, ImportTrial
from ingestion.views.fetch import reader, visible_import


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_POST
def start(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Begin to try the mapping as it is on the screen."""
    file_import = visible_import(request, import_id)
    form = mapping_form.of_post(request.POST, file_import.columns, looking_ahead.samples(file_import))
    try:
        trial = rehearsal.start(file_import=file_import, definition=form.definition(), by=reader(request))
    except mapping.InvalidMapping:
        return _show(request, file_import, None, status=422)
    return _show(request, file_import, trial)


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def show(request: HttpRequest, import_id: UUID, trial_id: UUID) -> HttpResponse:
    """How far it is, and what it counted; the page asks again while it is under way."""
    file_import = visible_import(request, import_id)
    return _show(request, file_import, get_object_or_404(file_import.trials, pk=trial_id))


def _show(
    request: HttpRequest, file_import: FileImport, trial: ImportTrial | None, *, status: int = 200
) -> HttpResponse:
    context = {"import": file_import, "trial": Trial(trial) if trial else None}
    return render_page_or_fragment(
        request, "ingestion/import_trial.html", "ingestion/_import_trial.html", context, status=status
    )
