"""What somebody has to follow up: the page and the number in the navigation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from profiles.cases import presenting
from profiles.cases.presenting import Whose
from profiles.views.fetch import reader


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_GET
def list_follow_ups(request: HttpRequest) -> HttpResponse:
    """Open cases of the reader, or of the department."""
    asked = request.GET.get("whose", "")
    whose = Whose(asked) if asked in list(Whose) else Whose.MINE
    context = {"follow_ups": presenting.follow_ups(whose, by=reader(request))}
    return render_page_or_fragment(request, "profiles/follow_ups.html", "profiles/_follow_ups.html", context)


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_GET
def count_due(request: HttpRequest) -> HttpResponse:
    """The number in the navigation; nothing when nothing is due."""
    return render(request, "profiles/_follow_ups_badge.html", {"due": presenting.due_count(by=reader(request))})
