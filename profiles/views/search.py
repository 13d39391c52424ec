"""Finding a customer: the list of people, the search page, and the suggestions below the search box.

Search terms travel by POST and never stand in an address, a log line or the browser's history.
"""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from profiles import directory
from profiles.views.fetch import reader


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
