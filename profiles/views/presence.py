"""Colleagues who have the same customer open, and what they changed meanwhile; the page asks every few seconds."""

from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from profiles import presence, viewing
from profiles.views.fetch import reader, visible_profile

_STOP_ASKING = 286  # htmx's word for it
_LONGEST_TRAIT = 80  # Presence.trait


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The place where colleagues appear. Who looks is logged with the page, not with each of its questions."""
    profile = visible_profile(request, public_id, logged_as=None)
    return render(request, "profiles/_presence.html", {"profile": profile, "since": timezone.now()})


@requires(Permission.VIEW_CUSTOMERS)
@require_POST
def look(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say that the page is open, and with which form; answers with the others."""
    user = reader(request)
    profile = viewing.find(public_id, by=user)
    if profile is None:
        successor = viewing.successor(public_id, by=user)
        if successor is None:
            raise Http404
        return render(request, "profiles/_presence_moved.html", {"successor": successor}, status=_STOP_ASKING)
    trait = request.POST.get("trait", "")[:_LONGEST_TRAIT]
    context = {
        "profile": profile,
        "others": presence.look(profile, by=user, trait=trait),
        "news": presence.news(profile, since=_since(request), by=user),
    }
    return render(request, "profiles/_presence_others.html", context)


def _since(request: HttpRequest) -> datetime:
    try:
        said = parse_datetime(request.POST.get("since", ""))
    except ValueError:
        said = None
    return said if said is not None and timezone.is_aware(said) else timezone.now()
