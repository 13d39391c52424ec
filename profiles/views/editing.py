"""Changing traits where they stand on the customer's page, with undo; two who change the same choose."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh, reswap, retarget

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from profiles import overview, viewing
from profiles.editing import changing, choosing, consequences, fields, reading, undoing
from profiles.editing.changing import Changed, Overtaken
from profiles.editing.consequences import Consequences
from profiles.editing.fields import Editable
from profiles.editing.forms import TraitForm
from profiles.editing.reading import Typed, Unreadable
from profiles.models import Profile
from profiles.views.fetch import reader, visible_profile

PAGE = "profiles/edit.html"
FORM = "profiles/_edit.html"
CHOICE = "profiles/_edit_choice.html"
ATTRIBUTES = "profiles/_edited.html"


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, public_id: UUID, trait: str) -> HttpResponse:
    """The form of a trait and of what survives together with it; posted, the change."""
    profile = visible_profile(request, public_id, logged_as=viewing.EDITED)
    editable = _editable(request, profile, trait)
    if request.method == "GET":
        return _form(request, profile, TraitForm(editable=editable), version=editable.version)
    form = TraitForm(request.POST, editable=editable)
    version = request.POST.get("version", "")
    kinds = _kinds(request, profile)
    try:
        typed = reading.read(editable, form.said)
        found = _foreseen(request, profile, editable, typed)
        if found.others and request.POST.get("agreed") != consequences.mark(typed):
            return _form(request, profile, form, version=version, found=found, typed=typed, status=422)
        done = changing.change(profile=profile, trait=trait, said=form.said, version=version, by=reader(request))
    except Unreadable as problem:
        form.tell(problem)
    except Overtaken as problem:
        return _choice(request, profile, problem.now, form)
    except MendableError as problem:
        if problem.status != MendableError.status:
            raise
        form.full_clean()
        form.add_error(trait, str(problem.message))
    else:
        return _changed(request, profile, editable, done, kinds)
    return _form(request, profile, form, version=version, status=422)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def foresee(request: HttpRequest, public_id: UUID, trait: str) -> HttpResponse:
    """What saving would mean, while it is being typed; nothing for what cannot be kept, which saving will tell."""
    profile = visible_profile(request, public_id, logged_as=viewing.EDITED)
    editable = _editable(request, profile, trait)
    try:
        typed = reading.read(editable, TraitForm(request.POST, editable=editable).said)
    except Unreadable:
        return render(request, "profiles/_edit_effects.html", {"found": None})
    found = _foreseen(request, profile, editable, typed)
    context = {"found": found, "agreed": consequences.mark(typed), "trait": editable.trait}
    return render(request, "profiles/_edit_effects.html", context)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def undo(request: HttpRequest, public_id: UUID, edit_id: UUID) -> HttpResponse:
    """Take one's own change back: the button of the message that tells of it."""
    profile = visible_profile(request, public_id, logged_as=viewing.EDITED)
    undoing.undo(profile=profile, edit_id=edit_id, by=reader(request))
    messages.info(request, _("Undone: everything is as it was."))
    return redirect("profiles:customer", public_id)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_GET
def add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Which field to fill in that nobody has said anything about yet; with `trait`, its form."""
    profile = visible_profile(request, public_id, logged_as=viewing.EDITED)
    if chosen := request.GET.get("trait"):
        return redirect("profiles:edit_trait", public_id, chosen)
    context = {"profile": profile, "traits": fields.addable(profile, by=reader(request))}
    return render_page_or_fragment(request, "profiles/edit_add.html", "profiles/_edit_add.html", context)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_attributes(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The attributes as they are now: what a colleague has changed, without loading the page again."""
    profile = visible_profile(request, public_id, logged_as=viewing.OPENED)
    if not wants_fragment(request):
        return redirect("profiles:customer", public_id)
    return render(request, ATTRIBUTES, _attributes(request, profile) | {"now": timezone.now()})


def _editable(request: HttpRequest, profile: Profile, trait: str) -> Editable:
    editable = fields.load(profile, trait, by=reader(request))
    if editable is None:
        raise Http404
    return editable


def _foreseen(request: HttpRequest, profile: Profile, editable: Editable, typed: Typed) -> Consequences:
    user = reader(request)
    found = consequences.foresee(profile, editable, typed, by=user)
    viewing.log([row.profile for row in found.others], by=user, what=viewing.FOUND)
    return found


def _form(
    request: HttpRequest,
    profile: Profile,
    form: TraitForm,
    *,
    version: str,
    found: Consequences | None = None,
    typed: Typed | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "profile": profile,
        "trait": form.editable.trait,
        "editable": form.editable,
        "form": form,
        "version": version,
        "found": found,
        "agreed": "" if typed is None else consequences.mark(typed),
        "foresees": form.editable.trait.name in consequences.IDENTIFYING,
    }
    return render_page_or_fragment(request, PAGE, FORM, context, status=status)


def _choice(request: HttpRequest, profile: Profile, now: Editable, form: TraitForm) -> HttpResponse:
    """409 with both values of each field in which they differ."""
    context = {
        "profile": profile,
        "trait": now.trait,
        "editable": now,
        "version": now.version,
        "rows": choosing.rows(now, form.said),
        "changed_by": choosing.changed_by(now),
        "part": CHOICE,
    }
    response = render_page_or_fragment(request, PAGE, CHOICE, context, status=409)
    response.headers["X-Choice"] = "1"  # tells static/js/desk.js that this conflict is to be shown
    return response


def _changed(
    request: HttpRequest, profile: Profile, editable: Editable, done: Changed, kinds: set[str]
) -> HttpResponse:
    if done.edit is None:
        messages.info(request, _("This stands there already."))
    else:
        text = _("%(trait)s changed.") if not done.shows_source else _("%(trait)s: what the sources say shows again.")
        undo_url = reverse("profiles:undo_edit", args=[profile.public_id, done.edit.pk])
        messages.success(request, text % {"trait": editable.trait}, extra_tags=undo_url)
    if not wants_fragment(request):
        return redirect("profiles:customer", profile.public_id)
    if _kinds(request, profile) != kinds:  # a panel comes or goes with it
        return HttpResponseClientRefresh()
    kind = editable.trait.group.kind_of_data
    context = _attributes(request, profile) | {"kind": kind, "edited": editable.trait.name, "tells": True}
    return reswap(retarget(render(request, ATTRIBUTES, context), f"#panel-{kind}-body"), "innerHTML")


def _kinds(request: HttpRequest, profile: Profile) -> set[str]:
    """The kinds of data of which something is shown: each has a panel."""
    return {group.kind for group in _attributes(request, profile)["customer"].groups}


def _attributes(request: HttpRequest, profile: Profile) -> dict[str, Any]:
    user = reader(request)
    again = viewing.find(profile.public_id, by=user)
    if again is None:
        raise Http404
    return {"profile": again, "customer": overview.load(again, by=user)}
