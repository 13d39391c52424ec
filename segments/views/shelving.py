"""The library's order: folders, and the owner, the folder, the sharing and the archive of a segment."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from segments import sharing, shelving
from segments.library_forms import ArrangeForm, FolderForm
from segments.models import Segment, SegmentFolder
from segments.views.fetch import kept_segment, reader


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def list_folders(request: HttpRequest) -> HttpResponse:
    """The folders that the department has, and a new one."""
    user = reader(request)
    form = FolderForm(request.POST or None)
    if form.is_valid():
        try:
            shelving.create_folder(name=form.cleaned_data["name"], by=user)
        except MendableError as problem:
            form.add_error("name", f"{problem.message} {problem.hint}")
        else:
            return redirect("segments:folders")
    context = {"form": form, "folders": SegmentFolder.objects.visible_to(user).with_numbers(user)}
    return render(request, "segments/folders.html", context, status=422 if form.is_bound else 200)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def rename_folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """Another name for a folder."""
    folder = _folder(request, folder_id)
    form = FolderForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A folder needs a name of at most 60 letters."))
        return redirect("segments:folders")
    try:
        shelving.rename_folder(folder=folder, name=form.cleaned_data["name"], by=reader(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint}")
    return redirect("segments:folders")


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def delete_folder(request: HttpRequest, folder_id: int) -> HttpResponse:
    """The folder goes, its segments stay."""
    folder = _folder(request, folder_id)
    shelving.delete_folder(folder=folder, by=reader(request))
    messages.success(request, _("“%(name)s” was deleted; its segments are in no folder.") % {"name": folder.name})
    return redirect("segments:folders")


def _folder(request: HttpRequest, folder_id: int) -> SegmentFolder:
    found: SegmentFolder = get_object_or_404(SegmentFolder.objects.visible_to(reader(request)), pk=folder_id)
    return found


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def arrange(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Who answers for the segment, where it lies, and what other departments may do with it."""
    user = reader(request)
    segment = kept_segment(request, segment_id)
    form = ArrangeForm(request.POST or None, segment=segment, by=user)
    context: dict[str, object] = {"segment": segment, "form": form}
    status = 422 if form.is_bound else 200
    if form.is_overtaken:
        context |= {"form": ArrangeForm(segment=segment, by=user), "is_overtaken": True}
    elif form.is_valid():
        try:
            _arrange(segment, form, user)
        except MendableError as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        else:
            messages.success(request, _("Saved."))
            return redirect("segments:segment", segment.pk)
    return render(request, "segments/arrange.html", context, status=status)


@transaction.atomic
def _arrange(segment: Segment, form: ArrangeForm, by: User) -> None:
    shelving.hand_over(segment=segment, owner=form.cleaned_data["owner"], by=by)
    shelving.put(segment=segment, folder=form.cleaned_data["folder"], by=by)
    for department, level in form.levels().items():
        sharing.share(segment=segment, department=department, level=level, by=by)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def archive(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Out of use, if nothing stands on it."""
    segment = kept_segment(request, segment_id)
    try:
        shelving.archive(segment=segment, by=reader(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint}")
        return redirect("segments:segment", segment.pk)
    messages.success(request, _("“%(name)s” is in the archive.") % {"name": segment.name})
    return redirect("segments:segments")


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def bring_back(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """In use again."""
    segment = kept_segment(request, segment_id)
    shelving.bring_back(segment=segment, by=reader(request))
    messages.success(request, _("“%(name)s” is in use again.") % {"name": segment.name})
    return redirect("segments:segment", segment.pk)
