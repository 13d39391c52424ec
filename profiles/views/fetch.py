"""Step one of every page about one customer: the profile, when the reader may see it."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from cdp_site.core.errors import ConflictProblem, MovedProblem
from cdp_site.core.models import User
from profiles import viewing
from profiles.models import Profile


def reader(request: HttpRequest) -> User:
    """The logged-in user; behind `@requires` there always is one."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def visible_profile(request: HttpRequest, public_id: UUID, *, logged_as: str | None) -> Profile:
    """The live profile of this id, with the look at it written down; `logged_as` None: another page has done so.

    Raises Http404 for what does not exist and for what is not the reader's. An id that was merged away leads to the
    same page of the customer who lives (MovedProblem); what was to be written there is refused (ConflictProblem), since
    it was decided before another customer.
    """
    user = reader(request)
    profile = viewing.find(public_id, by=user)
    if profile is None:
        raise _moved(request, public_id, user)
    if logged_as is not None:
        viewing.log([profile], by=user, what=logged_as)
    return profile


def _moved(request: HttpRequest, public_id: UUID, user: User) -> Exception:
    successor, match = viewing.successor(public_id, by=user), request.resolver_match
    if successor is None or match is None:
        return Http404()
    merged = _("This customer has just been merged.")
    if request.method not in ("GET", "HEAD"):
        return ConflictProblem(merged, hint=_("Open the customer again."))
    ids = {name: successor.public_id if str(value) == str(public_id) else value for name, value in match.kwargs.items()}
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return MovedProblem(merged, address=reverse(match.view_name, kwargs=ids) + query)
