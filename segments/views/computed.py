"""Computed traits: the list, one with what uses it, the form, and the panel of a customer's page."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from cdp_site.core.models import User
from profiles.views.fetch import visible_profile
from segments import audience
from segments.models import ComputedTrait
from segments.overtaking import OvertakenProblem
from segments.traits import authoring, page, presenting, reader, usage
from segments.traits.forms import TraitForm
from segments.traits.page import Sheet
from segments.traits.preview import preview
from segments.traits.reading import Known, Seen
from segments.views.fetch import reader as reader_of

FORM, BUILDER, DEFINITION = "segments/trait_form.html", "segments/_trait_form.html", "segments/_trait_definition.html"
CHANGED = "definition:changed"
LOOKED = "profile.computed"  # what the access log calls it


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def list_traits(request: HttpRequest) -> HttpResponse:
    """All that the department sees what they rest on, those in use and those in the archive."""
    user = reader_of(request)
    context = {"shown": presenting.listed(by=user), "archived": presenting.listed(by=user, is_archived=True)}
    return render(request, "segments/traits.html", context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show(request: HttpRequest, trait_id: int) -> HttpResponse:
    """One trait: what it says, what asks for it, what it was before."""
    user = reader_of(request)
    known = _visible(request, trait_id)
    context = {
        "trait": known.trait,
        "sentences": presenting.sentences(known, by=user),
        "names": known.names,
        "uses": usage.of(known.trait, by=user),
        "versions": presenting.versions(known.trait, by=user),
        "may_change": ComputedTrait.objects.changeable_by(user).only_this(trait_id).exists(),
    }
    return render(request, "segments/trait.html", context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show_values(request: HttpRequest, trait_id: int) -> HttpResponse:
    """What the values of a sample of customers are like."""
    known = _visible(request, trait_id)
    context: dict[str, object] = {}
    try:
        context["preview"] = preview(known.formula, scope_of(reader_of(request)))
    except audience.TooSlowProblem as problem:
        context["problem"] = problem
    return render(request, "segments/_trait_values.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new trait."""
    user = reader_of(request)
    if request.method == "POST":
        return _save(request, user, None)
    form = TraitForm(author=user, initial=TraitForm.initial_of(None))
    return render(request, FORM, _context(Sheet(page.blank(), user), form))


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, trait_id: int) -> HttpResponse:
    """A trait again."""
    user = reader_of(request)
    trait = _changeable(request, trait_id)
    if request.method == "POST":
        return _save(request, user, trait)
    form = TraitForm(author=user, initial=TraitForm.initial_of(trait))
    return render(request, FORM, _context(Sheet(page.of_trait(trait), user, trait), form))


def _save(request: HttpRequest, user: User, trait: ComputedTrait | None) -> HttpResponse:
    form = TraitForm(request.POST, author=user)
    sheet = Sheet(page.read(request.POST.dict()), user, trait, is_saving=True)
    seen = request.POST.get("seen")
    if form.is_valid() and sheet.formula is not None:
        said = {**form.cleaned_data, "definition": reader.serialise(sheet.formula), "by": user}
        try:
            saved = authoring.create(**said) if trait is None else authoring.change(trait=trait, seen=seen, **said)
        except MendableError as problem:
            if isinstance(problem, OvertakenProblem):
                seen = None  # they are told: the next time it is this edition that they save over
            form.add_error(problem.field if problem.field in form.fields else None, f"{problem.message} {problem.hint}")
        else:
            url = resolve_url("segments:trait", saved.pk)
            return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)
    response = render_page_or_fragment(request, FORM, BUILDER, _context(sheet, form, seen=seen), status=422)
    return trigger_client_event(response, CHANGED, after="settle")


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_draft(request: HttpRequest) -> HttpResponse:
    """The form after a choice or a button: with the controls that follow from it."""
    user, trait = reader_of(request), _trait_of(request)
    written = page.read(request.POST.dict())
    place = page.act(written, request.POST.get("action", ""))
    sheet = Sheet(written, user, trait)
    context = _context(sheet, TraitForm(author=user, initial=request.POST.dict()), seen=request.POST.get("seen"))
    if place:
        context["focus"] = sheet.focus(place)
    response = render_page_or_fragment(request, FORM, DEFINITION, context)
    return trigger_client_event(response, CHANGED, after="settle")


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_summary(request: HttpRequest) -> HttpResponse:
    """What the draft says in both languages, and what it comes to for a sample of customers."""
    user = reader_of(request)
    sheet = Sheet(page.read(request.POST.dict()), user, _trait_of(request))
    context: dict[str, object] = {"sheet": sheet}
    if sheet.formula is not None:
        context["sentences"] = presenting.sentences_of(sheet.formula, by=user)
        try:
            context["preview"] = preview(sheet.formula, sheet.scope)
        except audience.TooSlowProblem as problem:
            context["problem"] = problem
    return render(request, "segments/_trait_summary.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def archive(request: HttpRequest, trait_id: int) -> HttpResponse:
    """Asked for in a dialog; refused while a segment asks for it."""
    trait = _changeable(request, trait_id)
    try:
        authoring.archive(trait=trait, by=reader_of(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint}")
    else:
        messages.success(request, _("“%(name)s” is in the archive.") % {"name": trait})
    return redirect("segments:trait", trait_id)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def restore(request: HttpRequest, trait_id: int) -> HttpResponse:
    """Out of the archive."""
    trait = _changeable(request, trait_id)
    try:
        authoring.restore(trait=trait, by=reader_of(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint}")
    else:
        messages.success(request, _("“%(name)s” is computed again.") % {"name": trait})
    return redirect("segments:trait", trait_id)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_of_profile(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The panel of a customer's page."""
    user = reader_of(request)
    profile = visible_profile(request, public_id, logged_as=LOOKED)
    context: dict[str, object] = {"profile": profile}
    try:
        context["shown"] = presenting.of_customer(profile, by=user)
    except audience.TooSlowProblem as problem:
        context["problem"] = problem
    return render_page_or_fragment(
        request, "segments/computed_of_profile.html", "segments/_computed_of_profile.html", context
    )


def _visible(request: HttpRequest, trait_id: int) -> Known:
    """Raises Http404 for what does not exist, and for what rests on data that the reader does not see."""
    user = reader_of(request)
    found = Seen(ComputedTrait.objects.visible_to(user).only_this(trait_id), scope_of(user)).known
    if not found:
        raise Http404
    return found[0]


def _changeable(request: HttpRequest, trait_id: int) -> ComputedTrait:
    """The same for who may change it."""
    known = _visible(request, trait_id)
    if not ComputedTrait.objects.changeable_by(reader_of(request)).only_this(trait_id).exists():
        raise Http404
    return known.trait


def _trait_of(request: HttpRequest) -> ComputedTrait | None:
    """The trait that is being written again, from the address of a fragment."""
    asked = request.GET.get("trait", "")
    return _changeable(request, int(asked)) if asked.isdecimal() and len(asked) < 19 else None


def _context(sheet: Sheet, form: TraitForm, *, seen: str | None = None) -> dict[str, Any]:
    """What the templates of the form read. `seen`: the edition of the trait that the page was opened with; None: the
    one that stands."""
    of_trait = f"?trait={sheet.kept.pk}" if sheet.kept else ""
    return {
        "trait": sheet.kept,
        "seen": authoring.edition(sheet.kept) if sheet.kept and seen is None else seen or "",
        "form": form,
        "sheet": sheet,
        "row": sheet.row,
        "told": sheet.told,
        "is_saving": sheet.is_saving,
        "draft_url": reverse("segments:trait_draft") + of_trait,
        "summary_url": reverse("segments:trait_summary") + of_trait,
    }
