"""Notes on a customer: the list with its form, a fragment of the 360 page; what is being written is kept as a draft."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, may, requires
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from profiles import masking, notes, viewing
from profiles.forms import NoteForm
from profiles.models import NoteDraft, Profile
from profiles.views.fetch import reader, visible_profile


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The notes, with the form as the reader left it."""
    profile = visible_profile(request, public_id, logged_as=viewing.NOTES)
    user = reader(request)
    draft = notes.draft(profile, by=user) if may(user, Permission.EDIT_CUSTOMERS) else None
    return _answer(request, profile, _form(draft), draft=draft)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Write a note; htmx gets the list again, with the note on top."""
    profile = visible_profile(request, public_id, logged_as=viewing.NOTES)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _answer(request, profile, form, status=422)
    notes.add(profile=profile, **form.cleaned_data, by=reader(request))
    if not wants_fragment(request):
        return redirect("profiles:customer", public_id)
    return _answer(request, profile, NoteForm(), said=_("Note saved."))


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def keep_draft(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep what is being written; answers with when it was kept. What is too long is told by saving."""
    profile = visible_profile(request, public_id, logged_as=viewing.NOTES)
    form = NoteForm(request.POST)
    form.fields["text"].required = False
    kept = notes.keep_draft(profile=profile, **form.cleaned_data, by=reader(request)) if form.is_valid() else None
    return render(request, "profiles/_draft_kept.html", {"draft": kept})


def _form(draft: NoteDraft | None) -> NoteForm:
    return NoteForm(initial={"text": draft.text, "disposition": draft.disposition} if draft else None)


def _answer(
    request: HttpRequest,
    profile: Profile,
    form: NoteForm,
    *,
    status: int = 200,
    said: str = "",
    draft: NoteDraft | None = None,
) -> HttpResponse:
    user = reader(request)
    shows = masking.shows_identifiers(user, profile.pk)
    found = notes.visible(profile, to=user)[: notes.SHOWN]
    context = {
        "profile": profile,
        "form": form,
        "draft": draft,
        "notes": [(note, masking.readable(note.text, shows=shows)) for note in found],
        "said": said,
    }
    return render_page_or_fragment(request, "profiles/notes.html", "profiles/_notes.html", context, status=status)
