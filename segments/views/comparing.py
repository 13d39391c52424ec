"""The overlap of two segments."""

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from segments import comparing
from segments.audience import Question
from segments.models import Segment
from segments.views.fetch import reader, visible_segment


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show_overlap(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """How many people this segment shares with another, which the address names."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    others = Segment.objects.visible_to(user).living().besides(segment.pk).order_by("name")
    context: dict[str, object] = {"segment": segment, "others": others}
    if request.GET.get("with"):
        other = visible_segment(request, _key(request.GET["with"]))
        context["other"] = other
        try:
            first = Question.of_segment(segment, scope_of(user))
            second = replace(Question.of_segment(other, scope_of(user)), now=first.now)
            context["sides"] = comparing.sides(first, second)
        except MendableError as problem:
            context["problem"] = problem
    return render_page_or_fragment(request, "segments/overlap.html", "segments/_overlap.html", context)


def _key(text: str) -> UUID:
    """The id of a segment; one that no segment has for a text that is none."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
