"""What was found in all sources together, and by one import."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.htmx import render_page_or_fragment
from ingestion.models import FileImport
from profiles import found


@requires(Permission.VIEW_SOURCES)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Records, people, and whom sources share; of the sources that the reader sees."""
    return render(request, "profiles/found.html", {"found": found.everything(scope_of(request.user))})


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_GET
def show_import(request: HttpRequest, operation_id: UUID) -> HttpResponse:
    """In one breath what an import told of; a part of the import's page."""
    get_object_or_404(FileImport.objects.visible_to(request.user).of_operation(operation_id))
    context = {"found": found.by_operation(operation_id, scope_of(request.user))}
    return render_page_or_fragment(request, "profiles/found_by_import.html", "profiles/_found_by_import.html", context)
