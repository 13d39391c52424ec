"""The sentence under a customer's name: why they probably call."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires
from profiles import occasion
from profiles.views.fetch import reader, visible_profile

LOOKED = "profile.occasion"


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A fragment of the customer's page."""
    profile = visible_profile(request, public_id, logged_as=LOOKED)
    return render(request, "profiles/_occasion.html", {"occasion": occasion.of(profile, by=reader(request))})
