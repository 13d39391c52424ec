"""The list of segments, one segment with its members, and the segments of one customer."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, may, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from cdp_site.core.models import User
from profiles import directory, past, viewing
from profiles.models import Profile
from profiles.past import Past
from segments import audience, authoring, evidence, history, presenting, shelf, uses
from segments.models import Segment, SegmentFolder
from segments.views.fetch import kept_segment, reader, visible_segment

LISTED = "segment.members"
RECENT = 5


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def list_segments(request: HttpRequest) -> HttpResponse:
    """The segments that the department may use, by shelf, folder and words; each size is counted by a request of its
    own."""
    user = reader(request)
    choice = shelf.read(request.GET, by=user)
    segments = list(shelf.segments(choice, by=user))
    context = {
        "choice": choice,
        "shelves": shelf.Shelf,
        "folders": SegmentFolder.objects.visible_to(user).with_numbers(user),
        "shown": presenting.shown(segments, scope_of(user), trends=history.trends(segments, by=user)),
    }
    return render_page_or_fragment(request, "segments/segments.html", "segments/_segments.html", context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show_recent(request: HttpRequest) -> HttpResponse:
    """The panel of the start page."""
    segments = Segment.objects.visible_to(reader(request)).living().newest_first()[:RECENT]
    return render(request, "segments/_recent.html", {"segments": segments})


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """One segment: what it says, how many it has, how that went, who they are, what stands on it and where it went."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    (shown,) = presenting.shown([segment], scope_of(user))
    context = {
        "segment": segment,
        "shown": shown,
        "rights": presenting.rights(segment, user),
        "uses": uses.of(segment, by=user),
        "exports": segment.exports.newest_first()[: audience.PAGE_SIZE],
    }
    return render(request, "segments/segment.html", context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show_size(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """How many members, counted now."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    size = presenting.size_of(segment, scope_of(user))
    template = "segments/_size_cell.html" if "cell" in request.GET else "segments/_size.html"
    return render(request, template, {"segment": segment, "size": size})


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show_history(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """How the size went, and who came and left on each day."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    reach = history.reach_of(request.GET.get("days", ""))
    context: dict[str, object] = {"segment": segment, "reaches": history.Reach, "is_asked": "days" in request.GET}
    try:
        context["history"] = history.of(segment, reach=reach, by=user)
    except MendableError as problem:
        context["problem"] = problem
    return render_page_or_fragment(request, "segments/history.html", "segments/_history.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.VIEW_CUSTOMERS)
@require_GET
def list_members(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """A page of the members; that they were shown is logged."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    context: dict[str, object] = {"segment": segment, "is_first": "after" not in request.GET}
    try:
        question = audience.Question.of_segment(segment, scope_of(user))
        page = audience.page(question, after=_public_id(request.GET.get("after", "")))
    except MendableError as problem:
        context["problem"] = problem
    else:
        viewing.log(page.profiles, by=user, what=LISTED)
        context |= {"page": page, "rows": directory.rows(page.profiles, by=user)}
    return render_page_or_fragment(request, "segments/members.html", "segments/_members.html", context)


def _public_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def delete(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Asked for in a dialog that says what goes; refused while something stands on it."""
    segment = kept_segment(request, segment_id)
    try:
        authoring.delete(segment=segment, by=reader(request))
    except uses.InUseProblem as problem:
        messages.error(request, f"{problem.message} {problem.hint}")
        return redirect("segments:segment", segment.pk)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": segment.name})
    return redirect("segments:segments")


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_of_profile(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The panel of a customer's page: the segments that the customer is in now."""
    user = reader(request)
    profile = viewing.find(public_id, by=user)
    if profile is None:
        raise Http404
    context: dict[str, object] = {"profile": profile, "opens": may(user, Permission.VIEW_SEGMENTS)}
    try:
        then = past.asked(profile, request.GET, scope=scope_of(user))
        context["is_past"] = then is not None
        context["segments"] = _segments_of(profile, user, then)
    except audience.TooSlowProblem as problem:
        context["problem"] = problem
    return render(request, "segments/_of_profile.html", context)


def _segments_of(profile: Profile, user: User, then: Past | None) -> Sequence[Segment]:
    """The segments that the customer is in, or was in then."""
    named, scope = Segment.objects.named_to(user), scope_of(user)
    if then is None:
        return audience.standing(profile, named, scope).segments
    return evidence.standing_then(profile, named, at=then.at, scope=scope)
