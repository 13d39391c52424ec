"""The mapping of an import before it starts: what its columns become, tried on the first rows."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import imports, mappings, vocabulary
from ingestion.files import mapping, presets, suggest
from ingestion.files.problems import FileProblem
from ingestion.import_forms import FileFormatForm
from ingestion.mapping_screen import looking_ahead, mapping_form
from ingestion.mapping_screen.mapping_form import MappingForm
from ingestion.mapping_screen.preview_table import PreviewTable
from ingestion.models import FileImport
from ingestion.views.fetch import reader, visible_import

SUGGESTION = "suggestion"
Samples = Mapping[str, Sequence[str]]


def begin(request: HttpRequest, file_import: FileImport) -> HttpResponse:
    """The page of an import that waits for its mapping: filled by the mapping that the source's last file of these
    columns had, by the preset for such files, or else by what the columns most likely are."""
    columns, source = file_import.columns, file_import.source
    samples = looking_ahead.samples(file_import)
    name, base = source.slug, SUGGESTION
    if saved := mappings.fitting(source, columns):
        name = base = saved
    elif preset := presets.fitting(columns):
        name, base = f"{source.slug}-{preset}"[: mappings.LONGEST_NAME], preset
    definition = _definition(base, columns, samples)
    form = mapping_form.of_definition(definition, columns, samples, name=name, base=base)
    return _page(request, file_import, form, samples)


def _definition(base: str, columns: Sequence[str], samples: Samples) -> dict[str, Any]:
    """What to begin with: a saved mapping, a preset, or the suggestion."""
    return mappings.find(base, columns) or suggest.suggest(columns, samples, purpose=_first_purpose())


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_POST
def remap(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """The mapping as it is on the screen, checked and tried on the first rows; nothing is saved."""
    file_import = visible_import(request, import_id)
    samples = looking_ahead.samples(file_import)
    form = mapping_form.of_post(request.POST, file_import.columns, samples)
    return _page(request, file_import, _as_asked(request, file_import, form, samples), samples)


def _as_asked(request: HttpRequest, file_import: FileImport, form: MappingForm, samples: Samples) -> MappingForm:
    """The form after what the person did: chose another mapping to begin with, said what a row is, added a use."""
    post, columns = request.POST, file_import.columns
    if form.base != post.get("base_was", ""):
        definition = _definition(form.base, columns, samples)
        return mapping_form.of_definition(definition, columns, samples, name=form.name, base=form.base)
    if "add" in post:
        return mapping_form.with_use_added(form, int(post["add"]) if post["add"].isdigit() else -1)
    if form.rows != post.get("rows_were", form.rows):
        suggestion = suggest.suggest(columns, samples, rows=form.rows, purpose=_first_purpose())
        return mapping_form.for_other_rows(form, suggestion, samples)
    return form


@requires(Permission.VIEW_SOURCES, Permission.IMPORT_FILES)
@require_POST
def start(request: HttpRequest, import_id: UUID) -> HttpResponse:
    file_import = visible_import(request, import_id)
    samples = looking_ahead.samples(file_import)
    form = mapping_form.of_post(request.POST, file_import.columns, samples)
    try:
        imports.start(file_import=file_import, definition=form.definition(), mapping_name=form.name, by=reader(request))
    except mapping.InvalidMapping:
        return _page(request, file_import, form, samples, status=422)
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


def _page(
    request: HttpRequest, file_import: FileImport, form: MappingForm, samples: Samples, *, status: int = 200
) -> HttpResponse:
    form = mapping_form.checked(form, file_import.columns, samples)
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
        rows = looking_ahead.preview(file_import=file_import, definition=form.definition())
        context["preview"] = PreviewTable(rows, words=dict([*purposes, *channels]))
    except mapping.InvalidMapping:
        context["preview"] = None
    return render_page_or_fragment(
        request, "ingestion/import_mapping.html", "ingestion/_mapping.html", context, status=status
    )
