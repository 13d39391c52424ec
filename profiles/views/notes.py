"""Notes on a customer: the list with its form, a fragment of the 360 page."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from profiles import notes, viewing
from profiles.forms import NoteForm
from profiles.models import Profile
from profiles.views.fetch import reader, visible_profile


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return _answer(request, visible_profile(request, public_id, logged_as=viewing.NOTES), NoteForm())


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Write a note; htmx gets the list again, with the note on top."""
    profile = visible_profile(request, public_id, logged_as=viewing.NOTES)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _answer(request, profile, form, status=422)
    notes.add(profile=profile, text=form.cleaned_data["text"], by=reader(request))
    if not wants_fragment(request):
        return redirect("profiles:customer", public_id)
    return _answer(request, profile, NoteForm(), said=_("Note saved."))


def _answer(
    request: HttpRequest, profile: Profile, form: NoteForm, *, status: int = 200, said: str = ""
) -> HttpResponse:
    context = {
        "profile": profile,
        "form": form,
        "notes": notes.visible(profile, to=reader(request))[: notes.SHOWN],
        "said": said,
    }
    return render_page_or_fragment(request, "profiles/notes.html", "profiles/_notes.html", context, status=status)
