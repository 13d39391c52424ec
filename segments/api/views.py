"""Segments and their members for programs."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdp_site.core import audit
from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.machines.doors import open_to_keys
from cdp_site.core.machines.rest import described, for_programs
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.rest_shapes import Fields, shape
from profiles import viewing
from profiles.models import Profile
from segments import audience, membership
from segments.models import Segment
from segments.views.fetch import reader, visible_segment

USUAL_SIZE, LARGEST_SIZE = 100, 1000

_SEGMENT: Fields = {
    "id": serializers.UUIDField(),
    "name": serializers.CharField(),
    "version": serializers.IntegerField(help_text="Of its definition."),
    "changed_at": serializers.DateTimeField(),
}
_LIST = shape("Segments", {"segments": shape("Segment", _SEGMENT, many=True)})
_MEMBERS = shape(
    "SegmentMembers",
    {
        "segment": shape("Segment", _SEGMENT),
        "as_of": serializers.DateTimeField(help_text="Up to when all that was heard of people is in it."),
        "members": serializers.ListField(
            child=serializers.UUIDField(), help_text="Public ids, in an order that does not change."
        ),
        "next": serializers.UUIDField(allow_null=True, help_text="`after` of the next page; null: this was the last."),
    },
)


class PageRequest(serializers.Serializer):
    """Which members."""

    after = serializers.UUIDField(required=False, help_text="Members behind this one: `next` of the page before.")
    size = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_SIZE, default=USUAL_SIZE, help_text="Members in a page."
    )


@open_to_keys(KeyScope.SEGMENTS_READ)
@requires(Permission.VIEW_SEGMENTS)
@described("Segments", _LIST, scope=KeyScope.SEGMENTS_READ, tags=["Segments"])
@for_programs("GET")
def list_segments(request: Request) -> Response:
    """Those in use that your department may use, by name."""
    segments = Segment.objects.visible_to(reader(request._request)).living().order_by("name", "pk")
    return Response({"segments": [_told(segment) for segment in segments]})


@open_to_keys(KeyScope.SEGMENTS_READ)
@requires(Permission.VIEW_SEGMENTS, Permission.VIEW_CUSTOMERS)
@described(
    "Members of a segment",
    _MEMBERS,
    scope=KeyScope.SEGMENTS_READ,
    refusals={400: "The request cannot be used, or the segment cannot be counted for you; says why."},
    tags=["Segments"],
    parameters=[PageRequest, OpenApiParameter("segment_id", UUID, OpenApiParameter.PATH)],
    description="Page by page: ask again with `after` = `next` until it is null. Who comes in or goes out meanwhile "
    "moves nobody else. Who may be contacted is another question: that is what an export with its purpose is for.",
)
@for_programs("GET")
def list_members(request: Request, segment_id: UUID) -> Response:
    """Their public ids; each of them is written into the log of who looked at the customer."""
    by = reader(request._request)
    asked = PageRequest(data=request.query_params)
    asked.is_valid(raise_exception=True)
    after = asked.validated_data.get("after")
    segment = visible_segment(request._request, segment_id)
    if segment.is_archived:
        raise NotFoundProblem("This segment is archived: nobody keeps it up to date.")
    question = audience.Question.of_segment(segment, scope_of(by))
    page = audience.page(question, after=after, size=asked.validated_data["size"])
    if after is not None and not page.profiles:
        _check_place(after)
    with transaction.atomic():
        audit.record(action="segment.read_members", target=segment, by=by)
        viewing.log(page.profiles, by=by, what=viewing.BY_API)
    members = [profile.public_id for profile in page.profiles]
    as_of = None if question.stored is None else membership.fresh_as_of(segment)
    return Response({"segment": _told(segment), "as_of": as_of or question.now, "members": members, "next": page.next})


def _check_place(after: UUID) -> None:
    """An empty page behind somebody who was erased meanwhile is no end. Raises MendableError."""
    if not Profile.objects.in_bulk([after], field_name="public_id"):
        raise MendableError("There is nobody of this id any more.", field="after", hint="Begin again without it.")


def _told(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.pk,
        "name": segment.name,
        "version": segment.version,
        "changed_at": segment.changed_at,
    }
