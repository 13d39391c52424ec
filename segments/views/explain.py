"""Why somebody is in a segment or not: one segment about one customer, all segments about one, one about anybody."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from cdp_site.core.access import Permission, may, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from profiles import finding, viewing
from profiles.views.fetch import visible_profile
from segments import explain
from segments.models import Segment
from segments.views.fetch import reader, visible_segment

LOOKED = "profile.segment_why"  # what the access log calls it
HITS = 20


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_why(request: HttpRequest, public_id: UUID, segment_id: UUID) -> HttpResponse:
    """Each condition of a segment about a customer, with its evidence and the time at which it turns."""
    user = reader(request)
    profile = visible_profile(request, public_id, logged_as=LOOKED)
    segment = get_object_or_404(Segment.objects.named_to(user), pk=segment_id)
    context: dict[str, object] = {
        "profile": profile,
        "segment": segment,
        "opens": may(user, Permission.VIEW_SEGMENTS),
    }
    try:
        context["explanation"] = explain.why(profile, segment, by=user)
    except MendableError as problem:
        context["problem"] = problem
    return render_page_or_fragment(request, "segments/explanation_page.html", "segments/explanation.html", context)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_all(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Every segment that the reader knows, with whether the customer is in it."""
    user = reader(request)
    profile = visible_profile(request, public_id, logged_as=LOOKED)
    context: dict[str, object] = {"profile": profile}
    try:
        context["standings"] = explain.of_all(profile, Segment.objects.named_to(user), by=user)
    except MendableError as problem:
        context["problem"] = problem
    return render_page_or_fragment(request, "segments/standings_page.html", "segments/standings.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.VIEW_CUSTOMERS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("q")
def find_somebody(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Look for a customer, to read why they are in the segment or not. What is searched travels by POST."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    if segment.is_archived:
        raise Http404
    text = request.POST.get("q", "")
    matches = finding.find(text, by=user, limit=HITS)
    profiles = [match.row.profile for match in matches]
    viewing.log(profiles, by=user, what=viewing.FOUND)
    context: dict[str, object] = {
        "segment": segment,
        "search_text": text,
        "is_asked": finding.is_long_enough(text),
        "matches": matches,
    }
    try:
        context["inside"] = explain.members_among(segment, profiles, by=user)
    except MendableError as problem:
        context["problem"] = problem
    return render_page_or_fragment(
        request, "segments/explain_somebody.html", "segments/_explain_somebody.html", context
    )
