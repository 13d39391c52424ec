"""Lists of customers: which there are, and the upload that makes or changes one."""

from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from ingestion.uploads import SealedUpload, SealingUploadHandler
from segments.lists import finding, keeping, reading
from segments.lists.finding import Found
from segments.lists.forms import ChangeListForm, NewListForm, RenameForm, UploadForm
from segments.lists.reading import Upload
from segments.models import Segment, StaticList
from segments.querysets_lists import StaticListQuerySet
from segments.views.fetch import reader

SHOWN = 200  # ids of an upload that led nowhere
UPLOADS = (Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS, Permission.VIEW_CUSTOMERS)
"""The answer to an upload says who is a customer: it is for who may look customers up."""


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def list_lists(request: HttpRequest) -> HttpResponse:
    """All lists that the user may use, with how many customers are on each."""
    found = StaticList.objects.visible_to(reader(request)).with_people().select_related("department")
    return render(request, "segments/lists.html", {"lists": found})


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """One list: how many are on it, and which segments ask for it."""
    user = reader(request)
    static_list = _one_of(StaticList.objects.visible_to(user).with_people().select_related("department"), list_id)
    context = {
        "list": static_list,
        "segments": Segment.objects.visible_to(user).naming_list(static_list.pk),
        "may_change": StaticList.objects.changeable_by(user).only_this(static_list.pk).exists(),
    }
    return render(request, "segments/list.html", context)


@csrf_exempt  # the token is checked by _create: looking for it here would read the body with the wrong handler
@requires(*UPLOADS)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new list. The answer to the upload says which ids led to nobody: these are kept nowhere."""
    with _sealing(request) as handler:
        return _create(request, handler)


@csrf_protect
def _create(request: HttpRequest, handler: SealingUploadHandler) -> HttpResponse:
    user = reader(request)
    form = NewListForm(request.POST or None, request.FILES or None, user=user)
    if _is_filled(form, handler):
        try:
            upload, found = _found(form, user)
            made = keeping.create(name=form.cleaned_data["name"], department=form.department, found=found, by=user)
        except MendableError as problem:
            _note(form, problem)
        else:
            return _report(request, made, upload, found)
    return render(request, "segments/list_new.html", {"form": form}, status=422 if form.is_bound else 200)


@csrf_exempt  # as for `create`
@requires(*UPLOADS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """More customers on the list, or others."""
    static_list = _one_of(StaticList.objects.changeable_by(reader(request)), list_id)
    with _sealing(request) as handler:
        return _change(request, static_list, handler)


@csrf_protect
def _change(request: HttpRequest, static_list: StaticList, handler: SealingUploadHandler) -> HttpResponse:
    user = reader(request)
    form = ChangeListForm(request.POST or None, request.FILES or None, user=user)
    if _is_filled(form, handler):
        try:
            upload, found = _found(form, user)
            replaces = form.cleaned_data["replaces"]
            changed = keeping.change(static_list=static_list, found=found, replaces=replaces, by=user)
        except MendableError as problem:
            _note(form, problem)
        else:
            return _report(request, changed, upload, found)
    context = {"list": static_list, "form": form}
    return render(request, "segments/list_change.html", context, status=422 if form.is_bound else 200)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def rename(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Another name."""
    static_list = _one_of(StaticList.objects.changeable_by(reader(request)), list_id)
    form = RenameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A list needs a name of at most 120 letters."))
        return redirect("segments:list", static_list.pk)
    try:
        keeping.rename(static_list=static_list, name=form.cleaned_data["name"], by=reader(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint}")
    return redirect("segments:list", static_list.pk)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def delete(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """The list goes, unless a segment asks for it."""
    static_list = _one_of(StaticList.objects.changeable_by(reader(request)), list_id)
    try:
        keeping.delete(static_list=static_list, by=reader(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint}")
        return redirect("segments:list", static_list.pk)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": static_list.name})
    return redirect("segments:lists")


# --- steps ----------------------------------------------------------------------------------------------------------


@contextmanager
def _sealing(request: HttpRequest) -> Generator[SealingUploadHandler]:
    """An upload goes into the sealed store while it comes, and nothing of it stays there."""
    handler = SealingUploadHandler(request)
    request.upload_handlers = [handler]
    try:
        yield handler
    finally:
        handler.discard()


def _is_filled(form: UploadForm, handler: SealingUploadHandler) -> bool:
    """Whether the form is valid; a file that was refused while it came is told as such, and not as missing."""
    is_valid = form.is_valid()
    if handler.problem is None:
        return is_valid
    form.errors.pop("ids", None)
    form.add_error("file", str(handler.problem.message))
    return False


def _found(form: UploadForm, user: User) -> tuple[Upload, Found]:
    """Whom the ids of a form lead to. Raises MendableError."""
    said = form.cleaned_data
    file: SealedUpload | None = said.get("file")
    if file is None:
        upload = reading.pasted(said["ids"])
    else:
        upload = reading.of_file(file.receiver, kind=said["kind"], column=said["column"])
    return upload, finding.find(upload.ids, kind=said["kind"], source=said["source"], by=user)


def _note(form: UploadForm, problem: MendableError) -> None:
    form.add_error(problem.field if problem.field in form.fields else None, f"{problem.message} {problem.hint}".strip())


def _report(request: HttpRequest, static_list: StaticList, upload: Upload, found: Found) -> HttpResponse:
    """What came of an upload. Not after a redirect: the ids are in no address, no session and no table."""
    context = {
        "list": static_list,
        "column": upload.column,
        "found": found,
        "unknown": found.unknown[:SHOWN],
        "several": found.several[:SHOWN],
        "shown": SHOWN,
    }
    return render(request, "segments/list_report.html", context)


def _one_of(lists: StaticListQuerySet, list_id: UUID) -> StaticList:
    found: StaticList | None = lists.only_this(list_id).first()
    if found is None:
        raise Http404
    return found
