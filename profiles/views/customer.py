"""The 360 page: who the customer is, what every source says, and the fragments that htmx adds."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from cdp_site.core import panels
from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from profiles import accounts, directory, lineage, overview, timeline, viewing
from profiles.matching import verified
from profiles.views.fetch import reader, visible_profile

# A caller who rings often has a record for each ticket; the rest is one click away.
FIRST_RECORDS = 6


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The page of a customer; an id that was merged away leads to the one that lives."""
    profile = visible_profile(request, public_id, logged_as=viewing.OPENED)
    user = reader(request)
    customer = overview.load(profile, by=user)
    shown = panels.panels_for(user)
    return render(
        request,
        "profiles/customer.html",
        {
            "profile": profile,
            "customer": customer,
            "verification": verified.of_records(customer.records),
            "accounts": accounts.of_records(
                [record.pk for record in customer.records],
                without=() if customer.shows_identifiers else overview.DIRECT_IDENTIFIERS,
            ),
            "panels": shown,
            "panel_styles": panels.stylesheets(shown),
            "filters": request.GET.urlencode(),
        },
    )


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_timeline(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The timeline with its filters; `after` asks for the rows behind a key alone."""
    profile = visible_profile(request, public_id, logged_as=viewing.TIMELINE)
    user = reader(request)
    scope = scope_of(user)
    filters = timeline.Filters.read(request.GET)
    after = timeline.Cursor.read(request.GET.get("after", ""))
    context = {
        "profile": profile,
        "filters": filters,
        "after": after,
        "page": timeline.page(profile, scope=scope, filters=filters, after=after),
        "shows_details": overview.shows_identifiers_to(user),
    }
    if after is not None and wants_fragment(request):
        response = render(request, "profiles/_timeline_rows.html", context)
        patch_vary_headers(response, ["HX-Request"])
        return response
    context["choices"] = timeline.choices(profile, scope=scope, filters=filters)
    return render_page_or_fragment(request, "profiles/timeline.html", "profiles/_timeline.html", context)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_records(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The records that the customer is made of, each with why it belongs here."""
    profile = visible_profile(request, public_id, logged_as=viewing.RECORDS)
    user = reader(request)
    records = overview.records_of([profile], scope_of(user))[profile.pk]
    stories = lineage.stories(records, shows_identifiers=overview.shows_identifiers_to(user))
    context = {"profile": profile, "stories": stories[:FIRST_RECORDS], "more": stories[FIRST_RECORDS:]}
    return render_page_or_fragment(request, "profiles/records.html", "profiles/_records.html", context)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_recent(request: HttpRequest) -> HttpResponse:
    """Home panel: the customers that the reader opened last."""
    user = reader(request)
    rows = directory.rows(viewing.recent(by=user), by=user)
    return render(request, "profiles/_recent.html", {"rows": rows})
