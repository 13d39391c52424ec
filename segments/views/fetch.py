"""Step one of the segment pages: who asks, and the segment when they may see it."""

from uuid import UUID

from django.http import Http404, HttpRequest

from cdp_site.core.models import User
from segments.models import Segment


def reader(request: HttpRequest) -> User:
    """The logged-in user; behind `@requires` there always is one."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def visible_segment(request: HttpRequest, segment_id: UUID) -> Segment:
    """Raises Http404 for what does not exist and for what is another department's."""
    segment = Segment.objects.visible_to(reader(request)).select_related("department").filter(pk=segment_id).first()
    if segment is None:
        raise Http404
    found: Segment = segment
    return found
