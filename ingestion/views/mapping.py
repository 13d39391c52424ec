"""The mapping of an import before it starts: what its columns become, tried on the first rows."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import imports, mapping_form, mappings, vocabulary
from ingestion.files import mapping, presets, suggest
from ingestion.files.problems import FileProblem
from ingestion.import_display import PreviewTable
from ingestion.import_forms import FileFormatForm
from ingestion.mapping_form import MappingForm
from ingestion.models import FileImport
from ingestion.views.fetch import reader, visible_import

SUGGESTION = "suggestion"


def begin(request: HttpRequest, file_import: FileImport) -> HttpResponse:
    """The page of an import that waits for its mapping, filled with what its columns most likely are."""
    samples = imports.samples(file_import)
    suggestion = suggest.suggest(file_import.columns, samples, purpose=_first_purpose())
    form = mapping_form.of_definition(
        suggestion, file_import.columns, samples, name=file_import.source.slug, base=SUGGESTION
    )
    return _page(request, file_import, form)


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_POST
def remap(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The mapping as it is on the screen, checked and tried on the first rows; nothing is saved."""
    file_import = visible_import(request, import_id)
    samples = imports.samples(file_import)
    form = mapping_form.of_post(request.POST, file_import.columns, samples)
    return _page(request, file_import, _as_asked(request, file_import, form, samples))


def _as_asked(
    request: HttpRequest, file_import: FileImport, form: MappingForm, samples: dict[str, list[str]]
) -> MappingForm:
    """The form after what the person did: chose another mapping to begin with, said what a row is, added a use."""
    post, columns = request.POST, file_import.columns
    if form.base != post.get("base_was", ""):
        definition = mappings.find(form.base) or suggest.suggest(columns, samples, purpose=_first_purpose())
        return mapping_form.of_definition(definition, columns, samples, name=form.name, base=form.base)
    if "add" in post:
        return mapping_form.with_use_added(form, int(post["add"]) if post["add"].isdigit() else -1)
    if form.rows != post.get("rows_were", form.rows):
        suggestion = suggest.suggest(columns, samples, rows=form.rows, purpose=_first_purpose())
        return mapping_form.for_other_rows(form, suggestion)
    return form


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_POST
def start(request: HttpRequest, import_id: UUID) -> HttpResponse:
    file_import = visible_import(request, import_id)
    form = mapping_form.of_post(request.POST, file_import.columns, imports.samples(file_import))
    try:
        imports.start(file_import=file_import, definition=form.definition(), mapping_name=form.name, by=reader(request))
    except mapping.InvalidMapping:
        return _page(request, file_import, form, status=422)
    messages.success(request, _("The import has begun. You may leave this page."))
    return redirect("ingestion:import", file_import.pk)


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_POST
def correct(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Encoding, delimiter and header row, where they were detected wrongly."""
    file_import = visible_import(request, import_id)
    form = FileFormatForm(request.POST)
    if form.is_valid():
        try:
            imports.correct(file_import=file_import, **form.cleaned_data, by=reader(request))
        except FileProblem as problem:
            messages.error(request, str(problem.message))
    return redirect("ingestion:import", file_import.pk)


# --- what the page shows ---------------------------------------------------------------------------------------------


def _first_purpose() -> str:
    """The purpose that a column of yes and no is taken to be about, until a person says otherwise."""
    purposes, _channels = vocabulary.consent()
    return purposes[0][0] if purposes else ""


def _page(request: HttpRequest, file_import: FileImport, form: MappingForm, *, status: int = 200) -> HttpResponse:
    form = mapping_form.checked(form, file_import.columns)
    purposes, channels = vocabulary.consent()
    context: dict[str, Any] = {
        "import": file_import,
        "form": form,
        "purposes": purposes,
        "channels": channels,
        "presets": [(name, presets.title(name)) for name in presets.load()],
        "saved": mappings.names_for(file_import.source),
        "file_form": FileFormatForm.of(file_import),
    }
    try:
        rows = imports.preview(file_import=file_import, definition=form.definition())
        context["preview"] = PreviewTable(rows, words=dict([*purposes, *channels]))
    except mapping.InvalidMapping:
        context["preview"] = None
    return render_page_or_fragment(
        request, "ingestion/import_mapping.html", "ingestion/_mapping.html", context, status=status
    )
