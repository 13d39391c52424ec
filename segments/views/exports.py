"""Lists that leave: asked for in a dialog, made by a job, followed and fetched on a page of their own."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from cdp_site.core.login.fresh import fresh_login
from segments import audience, freshness
from segments.exports import asking, comparison, files, formats
from segments.exports.display import Account, Prospect, Result
from segments.exports.forms import ExportForm
from segments.models import Segment, SegmentExport
from segments.views.fetch import reader, visible_segment

ASK, DIALOG = "segments/export.html", "segments/_export.html"
PAGE, STATE = "segments/exported.html", "segments/_exported_state.html"
LISTED = 100


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@fresh_login
@require_GET
def ask(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """The dialog, with purpose and channel still open."""
    segment = visible_segment(request, segment_id)
    context = {"segment": segment, "form": ExportForm(by=reader(request))}
    return render_page_or_fragment(request, ASK, DIALOG, context)


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@require_POST
def preview(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """How many would be on the list, why the others would not, and what there is to mind."""
    segment = visible_segment(request, segment_id)
    form = ExportForm(request.POST, by=reader(request))
    context: dict[str, object] = {"segment": segment}
    if form.is_valid():
        wish = form.wish
        context["hint"] = wish.form.hint
        try:
            found = asking.preview(segment, wish, by=reader(request))
            context |= {"preview": found, "prospect": Prospect(found)}
            context["stale"] = _stale(request, segment)
        except MendableError as problem:
            context["problem"] = problem
    return render(request, "segments/_export_preview.html", context)


def _stale(request: HttpRequest, segment: Segment) -> list[freshness.Leaning]:
    """Sources that the segment leans on and that are in trouble."""
    scope = scope_of(reader(request))
    definition = audience.Question.of_segment(segment, scope).definition
    return [leaning for leaning in freshness.leanings(definition, scope) if leaning.is_stale]


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@fresh_login
@require_POST
def start(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """The list is made from now on; its page follows it."""
    segment = visible_segment(request, segment_id)
    form = ExportForm(request.POST, by=reader(request))
    context: dict[str, object] = {"segment": segment, "form": form}
    if not form.is_valid():
        return render(request, ASK, context, status=422)
    try:
        export = asking.start(segment=segment, wish=form.wish, by=reader(request))
    except MendableError as problem:
        return render(request, ASK, context | {"problem": problem}, status=422)
    return redirect("segments:exported", export.pk)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def list_exports(request: HttpRequest) -> HttpResponse:
    """The lists of all segments that the reader sees, the newest first."""
    exports = SegmentExport.objects.visible_to(reader(request)).newest_first()[:LISTED]
    return render(request, "segments/exports.html", {"exports": exports})


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """One list: how far it is, who is not on it and why, its file, and what it brought."""
    export = _visible(request, export_id)
    return render(request, PAGE, {"export": export, "account": Account.of(export, by=reader(request))})


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def progress(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """How far it is; the page asks again while it is being made."""
    export = _visible(request, export_id)
    context = {"export": export, "account": Account.of(export, by=reader(request))}
    return render_page_or_fragment(request, PAGE, STATE, context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def compare(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """What the list brought, once its days are over."""
    user = reader(request)
    export = _visible(request, export_id)
    context: dict[str, object] = {"export": export, "account": Account.of(export, by=user)}
    try:
        found = comparison.compare(export, scope_of(user))
        context["result"] = None if found is None else Result(found)
    except audience.TooSlowProblem as problem:
        context["problem"] = problem
    return render(request, "segments/_exported_result.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@fresh_login
@require_POST
def fetch(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The file, for who asked for it."""
    export = _own(request, export_id)
    try:
        pieces = files.fetch(export=export, by=reader(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint or ''}".strip())
        return redirect("segments:exported", export.pk)
    response = StreamingHttpResponse(pieces, content_type=formats.of(export).content_type)
    response["Content-Disposition"] = f'attachment; filename="{files.name_of(export)}"'
    response["Content-Length"] = str(export.size)
    response["Cache-Control"] = "no-store"
    return response


@requires(Permission.VIEW_SEGMENTS, Permission.EXPORT_SEGMENTS)
@require_POST
def remove(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The file goes before its time; the list stays on record."""
    export = _own(request, export_id)
    if files.remove(export=export, because=SegmentExport.Removal.ASKED, by=reader(request)):
        messages.success(request, _("The file was removed."))
    return redirect("segments:exported", export.pk)


def _visible(request: HttpRequest, export_id: UUID) -> SegmentExport:
    """Raises Http404 for what does not exist and for what is another department's."""
    exports = SegmentExport.objects.visible_to(reader(request)).newest_first()
    found: SegmentExport | None = exports.with_id(export_id).first()
    if found is None:
        raise Http404
    return found


def _own(request: HttpRequest, export_id: UUID) -> SegmentExport:
    """The same for who asked for it alone: what is in the file is what they may read."""
    export = _visible(request, export_id)
    if export.by_id != reader(request).pk:
        raise Http404
    return export
