"""Finding a customer: the list of people, the search page, and the suggestions below the search box.

Search terms travel by POST and never stand in an address, a log line or the browser's history.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from profiles import directory, finding, viewing
from profiles.views.fetch import reader

PAGE_HITS = 50
SUGGESTIONS = 10


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def list_customers(request: HttpRequest) -> HttpResponse:
    """People in the order of their names."""
    page = directory.page(by=reader(request), after=_public_id(request.GET.get("after", "")))
    context = {"page": page, "is_first": "after" not in request.GET}
    return render_page_or_fragment(request, "profiles/customers.html", "profiles/_customers.html", context)


def _public_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@requires(Permission.VIEW_CUSTOMERS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("q")
def search(request: HttpRequest) -> HttpResponse:
    """What a term finds; the one customer whose number or address it is opens at once."""
    user = reader(request)
    text = request.POST.get("q", "")
    if request.method == "GET" or not text.strip():
        return redirect("profiles:customers")
    matches = finding.find(text, by=user, limit=PAGE_HITS)
    if match := finding.only_exact(matches):
        return redirect("profiles:customer", match.row.profile.public_id)
    viewing.log([match.row.profile for match in matches], by=user, what=viewing.FOUND)
    context = {"matches": matches, "search_text": text, "is_cut": len(matches) == PAGE_HITS}
    return render(request, "profiles/search.html", context)


@requires(Permission.VIEW_CUSTOMERS)
@require_POST
@sensitive_post_parameters("q")
def suggest(request: HttpRequest) -> HttpResponse:
    """The best few below the search box, while the reader types."""
    user = reader(request)
    text = request.POST.get("q", "")
    matches = finding.find(text, by=user, limit=SUGGESTIONS)
    viewing.log([match.row.profile for match in matches], by=user, what=viewing.FOUND)
    context = {"matches": matches, "search_text": text, "is_asked": finding.is_long_enough(text)}
    return render(request, "profiles/_suggestions.html", context)
