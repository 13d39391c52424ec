"""Merge and unmerge by hand: choose, see what would change, say why, confirm; and take it back."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from cdp_site.core.models import Operation
from profiles import comparison, finding, merging, overview, viewing
from profiles.forms import NotesForm, ReasonForm
from profiles.matching import by_hand, verified
from profiles.models import SourceRecord
from profiles.naming import shown_name
from profiles.reasons import Own
from profiles.views.fetch import reader, visible_profile

CANDIDATES = 20
READ_OR_WRITE = require_http_methods(["GET", "POST"])


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@READ_OR_WRITE
@sensitive_post_parameters("q")
def choose(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Find the customer who is the same person; the search travels by POST."""
    profile = visible_profile(request, public_id, logged_as=viewing.COMPARED)
    user = reader(request)
    text = request.POST.get("q", "")
    matches = [match for match in finding.find(text, by=user, limit=CANDIDATES + 1) if match.row.profile != profile]
    viewing.log([match.row.profile for match in matches], by=user, what=viewing.FOUND)
    context = {
        "profile": profile,
        "customer": overview.load(profile, by=user),
        "text": text,
        "matches": matches[:CANDIDATES],
        "is_asked": finding.is_long_enough(text),
    }
    return render_page_or_fragment(request, "profiles/merge_choose.html", "profiles/_merge_matches.html", context)


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@READ_OR_WRITE
def merge(request: HttpRequest, public_id: UUID, other_id: UUID) -> HttpResponse:
    """What a merge of two customers would do; by POST it is done."""
    profiles = [visible_profile(request, one, logged_as=viewing.COMPARED) for one in (public_id, other_id)]
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        done = by_hand.merge(profiles=profiles, by=reader(request), reason=form.cleaned_data["reason"])
        _say(request, _("Merged: the two are one customer now."), done.operation)
        return redirect("profiles:customer", done.profiles[0].public_id)
    preview = merging.preview_merge(profiles).within(scope_of(reader(request)))
    context = {
        "profile": profiles[0],
        "other": profiles[1],
        "preview": preview,
        "comparison": comparison.compare(preview),
        "verified_records": verified.number_among(preview.before),
        "form": form,
    }
    return render(request, "profiles/merge.html", context, status=422 if form.is_bound else 200)


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@READ_OR_WRITE
def unmerge(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Choose the records that are somebody else's and see what parting them would do; by POST it is done."""
    profile = visible_profile(request, public_id, logged_as=viewing.COMPARED)
    records = overview.records_of([profile], scope_of(reader(request)))[profile.pk]
    told = [record for record in records if record.kind != SourceRecord.Kind.AGENT]
    query = request.POST if request.method == "POST" else request.GET
    chosen = {record.pk for record in told if str(record.pk) in query.getlist("record")}
    named = [(record, shown_name(record.attributes)) for record in told]
    context = {"profile": profile, "records": named, "chosen": chosen}
    try:
        preview = merging.preview_unmerge(profile, chosen).within(scope_of(reader(request))) if chosen else None
    except MendableError as problem:
        return _unmerge_page(request, context | {"problem": problem}, status=422)
    if preview is None:
        return _unmerge_page(request, context)
    data = request.POST if request.method == "POST" else None
    form = ReasonForm(data)
    notes_form = NotesForm(data, agents=_agents(records, preview.unclear_notes), records=told)
    if data is not None and form.is_valid() and notes_form.is_valid():
        done = by_hand.unmerge(
            profile=profile,
            records=chosen,
            by=reader(request),
            reason=form.cleaned_data["reason"],
            notes_to=notes_form.targets,
        )
        _say(request, _("Parted: these are %(n)d customers now.") % {"n": len(done.profiles)}, done.operation)
        return redirect("profiles:customer", done.profiles[0].public_id)
    context |= {
        "preview": preview,
        "comparison": comparison.compare(preview),
        "verified_records": verified.number_among(preview.before),
        "form": form,
        "notes_form": notes_form,
    }
    return _unmerge_page(request, context, status=422 if form.is_bound else 200)


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@require_POST
def revert(request: HttpRequest, operation_id: UUID) -> HttpResponse:
    """Undo a merge or unmerge: the button of the message that reports it."""
    kinds = (Operation.Kind.MERGE, Operation.Kind.UNMERGE)
    operation = get_object_or_404(Operation, pk=operation_id, kind__in=kinds)
    done = by_hand.revert(operation=operation, by=reader(request), reason=Own.UNDONE)
    messages.success(request, _("Undone: everything is as it was."))
    return redirect("profiles:customer", done.profiles[0].public_id)


def _agents(records: Sequence[SourceRecord], numbers: Sequence[int]) -> list[SourceRecord]:
    return [record for record in records if record.pk in numbers]


def _unmerge_page(request: HttpRequest, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    page, fragment = "profiles/unmerge.html", "profiles/_unmerge_preview.html"
    return render_page_or_fragment(request, page, fragment, context, status=status)


def _say(request: HttpRequest, text: str, operation: Operation) -> None:
    """A message with an Undo button: its extra tag is the address that the button posts to."""
    messages.success(request, text, extra_tags=reverse("profiles:revert", args=[operation.pk]))
