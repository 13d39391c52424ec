"""Step one of the segment pages: who asks, and the segment when they may see it."""

from uuid import UUID

from django.http import Http404, HttpRequest

from cdp_site.core.models import User
from segments.models import Segment
from segments.querysets import SegmentQuerySet


def reader(request: HttpRequest) -> User:
    """The logged-in user; behind `@requires` there always is one."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def visible_segment(request: HttpRequest, segment_id: UUID) -> Segment:
    """Raises Http404 for what does not exist and for what is another department's, unless it is shared."""
    return _one_of(Segment.objects.visible_to(reader(request)), segment_id)


def changeable_segment(request: HttpRequest, segment_id: UUID) -> Segment:
    """The same for who may change it."""
    return _one_of(Segment.objects.changeable_by(reader(request)), segment_id)


def kept_segment(request: HttpRequest, segment_id: UUID) -> Segment:
    """The same for who may give it away or end it: the department that it belongs to; everybody's, everybody."""
    return _one_of(Segment.objects.kept_by(reader(request)), segment_id)


def _one_of(segments: SegmentQuerySet, segment_id: UUID) -> Segment:
    found: Segment | None = segments.select_related("department", "folder", "owner").filter(pk=segment_id).first()
    if found is None:
        raise Http404
    return found
