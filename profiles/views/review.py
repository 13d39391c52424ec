"""The review of pairs: one decision a key, the next pair already there."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires
from profiles.matching import review
from profiles.views.fetch import reader


@requires(Permission.MERGE_PROFILES)
@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """Where the navigation leads: all rooms of matching are below this address."""
    return redirect("profiles:review")


@requires(Permission.MERGE_PROFILES)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The queue."""
    return render(request, "profiles/review.html")


@requires(Permission.MERGE_PROFILES)
@require_GET
def count(request: HttpRequest) -> HttpResponse:
    """The badge of the navigation: nothing when nothing waits."""
    return render(request, "profiles/_review_badge.html", {"n": review.waiting_for(reader(request))})
