"""The export dialog: on what ground, who stays out and why, and the list itself."""

from tempfile import SpooledTemporaryFile
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from cdp_site.core.login.fresh import fresh_login
from consent.models import Channel
from segments import export
from segments.forms import ExportForm
from segments.views.fetch import reader, visible_segment

PAGE, DIALOG = "segments/export.html", "segments/_export.html"


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@fresh_login
@require_GET
def ask(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """The dialog, with purpose and channel still open."""
    segment = visible_segment(request, segment_id)
    return render_page_or_fragment(request, PAGE, DIALOG, {"segment": segment, "form": ExportForm()})


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@require_POST
def preview(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """How many would be on the list, and why the others would not."""
    segment = visible_segment(request, segment_id)
    form = ExportForm(request.POST)
    context: dict[str, object] = {"segment": segment}
    if form.is_valid():
        channel = Channel(form.cleaned_data["channel"])
        try:
            context["preview"] = export.preview(
                segment, purpose=form.cleaned_data["purpose"], channel=channel, by=reader(request)
            )
        except MendableError as problem:
            context["problem"] = problem
    return render(request, "segments/_export_preview.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@fresh_login
@require_POST
def download(request: HttpRequest, segment_id: UUID) -> HttpResponseBase:
    """The list as a file."""
    segment = visible_segment(request, segment_id)
    form = ExportForm(request.POST)
    context = {"segment": segment, "form": form}
    if not form.is_valid():
        return render(request, PAGE, context, status=422)
    # An unnamed file that ends with the response; a list of some 40,000 people fits into memory.
    file = SpooledTemporaryFile(max_size=4 * 1024 * 1024)  # noqa: SIM115
    try:
        exported = export.export(
            segment=segment,
            purpose=form.cleaned_data["purpose"],
            channel=Channel(form.cleaned_data["channel"]),
            by=reader(request),
            to=file,
        )
    except MendableError as problem:
        file.close()
        return render(request, PAGE, context | {"problem": problem}, status=422)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=export.file_name(exported), content_type="text/csv")
