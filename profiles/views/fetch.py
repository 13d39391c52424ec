"""Step one of every page about one customer: the profile, when the reader may see it."""

from uuid import UUID

from django.http import Http404, HttpRequest

from cdp_site.core.models import User
from profiles import viewing
from profiles.models import Profile


def reader(request: HttpRequest) -> User:
    """The logged-in user; behind `@requires` there always is one."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def visible_profile(request: HttpRequest, public_id: UUID, *, logged_as: str) -> Profile:
    """The live profile of this id, with the look at it written down.

    Raises Http404 for what does not exist and for what is not the reader's.
    """
    user = reader(request)
    profile = viewing.find(public_id, by=user)
    if profile is None:
        raise Http404
    viewing.log([profile], by=user, what=logged_as)
    return profile
