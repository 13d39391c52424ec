"""The versions of a segment: the list, two of them beside each other with what lies between them, and back to one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, may, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from profiles import directory, viewing
from segments import presenting, versions
from segments.models import Segment, SegmentVersion
from segments.views.fetch import changeable_segment, reader, visible_segment

LISTED = "segment.version_effect"  # what the access log calls it


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def list_versions(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """What the segment said when, and by whom."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    context = {
        "segment": segment,
        "versions": versions.history(segment, scope_of(user)),
        "rights": presenting.rights(segment, user),
    }
    return render(request, "segments/versions.html", context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def compare(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Two versions beside each other."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    before, after = _two(request, segment)
    context = {
        "segment": segment,
        "before": before,
        "after": after,
        "numbers": range(segment.version, 0, -1),
        "unread": versions.unread(before, after),
        "rows": versions.difference(before, after, scope_of(user)),
        "rights": presenting.rights(segment, user),
    }
    return render(request, "segments/version_diff.html", context)


@requires(Permission.VIEW_SEGMENTS)
@require_GET
def show_effect(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Who enters and who leaves between two versions, counted now; people are shown to those who may see them."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    before, after = _two(request, segment)
    context: dict[str, object] = {"segment": segment, "before": before, "after": after}
    try:
        effect = versions.effect(before, after, scope_of(user), with_people=may(user, Permission.VIEW_CUSTOMERS))
    except MendableError as problem:
        context["problem"] = problem
    else:
        viewing.log([*effect.leaving, *effect.entering], by=user, what=LISTED)
        context |= {
            "effect": effect,
            "leaving": directory.rows(effect.leaving, by=user),
            "entering": directory.rows(effect.entering, by=user),
        }
    return render_page_or_fragment(request, "segments/version_effect.html", "segments/_version_effect.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def restore(request: HttpRequest, segment_id: UUID, number: int) -> HttpResponse:
    """An earlier definition as the newest one."""
    segment = changeable_segment(request, segment_id)
    version = _version(segment, number)
    try:
        restored = versions.restore(segment=segment, version=version, by=reader(request))
    except MendableError as problem:
        messages.error(request, f"{problem.message} {problem.hint or ''}".strip())
    else:
        said = {"old": number, "new": restored.version}
        messages.success(request, _("Version %(old)d stands again, as version %(new)d.") % said)
    return redirect("segments:versions", segment.pk)


def _two(request: HttpRequest, segment: Segment) -> tuple[SegmentVersion, SegmentVersion]:
    """The versions that the address names, without any the last two; the older one first."""
    after = _number(request.GET.get("to", ""), segment.version)
    before = _number(request.GET.get("from", ""), max(after - 1, 1))
    return _version(segment, min(before, after)), _version(segment, max(before, after))


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise


def _version(segment: Segment, number: int) -> SegmentVersion:
    found: SegmentVersion = get_object_or_404(segment.versions, version=number)
    return found
