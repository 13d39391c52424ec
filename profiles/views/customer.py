"""The 360 page: who the customer is, what every source says, and the fragments that htmx adds."""

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from cdp_site.core import panels
from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.htmx import render_page_or_fragment
from profiles import accounts, arrangement, directory, lineage, masking, overview, past, viewing, yearly
from profiles.arrangement import Placed
from profiles.cases import presenting
from profiles.matching import verified
from profiles.overview import Overview
from profiles.past import Past
from profiles.views.fetch import reader, visible_profile

# A caller who rings often has a record for each ticket; the rest is one click away.
FIRST_RECORDS = 6


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The page of a customer, as it is or as it was at the end of a day (`as_of`); an id that was merged away leads to
    the one that lives."""
    profile = visible_profile(request, public_id, logged_as=viewing.OPENED)
    user = reader(request)
    then = past.asked(profile, request.GET, scope=scope_of(user))
    customer = overview.load(profile, by=user, past=then)
    acts_for = accounts.of_records(
        [record.pk for record in customer.records if then or record.acts_for_somebody],  # type: ignore[attr-defined]
        without=() if customer.shows_identifiers else masking.DIRECT_IDENTIFIERS,
        until=then.at if then else None,
    )
    arranged = arrangement.of(user)
    return render(
        request,
        "profiles/customer.html",
        {
            "profile": profile,
            "customer": customer,
            "past": then,
            "verification": verified.of_records(customer.records) if customer.is_verified else None,
            "accounts": acts_for,
            "open_cases": None if then else presenting.open_count(profile, by=user),
            "left": _shown(arranged.left, customer, bool(acts_for), then),
            "centre": _shown(arranged.centre, customer, bool(acts_for), then),
            "right": _shown(arranged.right, customer, bool(acts_for), then),
            "header_panels": [panel for panel in arranged.header if panel.has_past or not then],
            "panel_styles": panels.stylesheets(arranged.panels),
            "filters": request.GET.urlencode(),
        },
    )


def _shown(placed: Iterable[Placed], customer: Overview, acts_for: bool, then: Past | None) -> list[Placed]:
    """Without those that have nothing to show: a kind of data of which nothing is known, what has no past."""
    there = {group.kind for group in customer.groups} | ({"accounts"} if acts_for else set())
    return [
        one for one in placed if (one.panel.url_name or one.panel.key in there) and (one.panel.has_past or not then)
    ]


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_records(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The records that the customer is made of, each with why it belongs here."""
    profile = visible_profile(request, public_id, logged_as=viewing.RECORDS)
    user = reader(request)
    scope = scope_of(user)
    then = past.asked(profile, request.GET, scope=scope)
    stories = lineage.stories(
        then.records if then else overview.records_of([profile], scope)[profile.pk],
        scope=scope,
        shows_identifiers=masking.shows_identifiers(user, profile.pk),
        until=then.at if then else None,
    )
    context = {
        "profile": profile,
        "past": then,
        "n_records": len(stories),
        "stories": stories[:FIRST_RECORDS],
        "more": stories[FIRST_RECORDS:],
    }
    return render_page_or_fragment(request, "profiles/records.html", "profiles/_records.html", context)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_year(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Panel: what was spent and how often there was contact in each of twelve months."""
    profile = visible_profile(request, public_id, logged_as=viewing.YEAR)
    scope = scope_of(reader(request))
    then = past.asked(profile, request.GET, scope=scope)
    context = {"profile": profile, "past": then, "year": yearly.of(profile, scope=scope, past=then)}
    return render_page_or_fragment(request, "profiles/year.html", "profiles/_year.html", context)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_recent(request: HttpRequest) -> HttpResponse:
    """Home panel: the customers that the reader opened last."""
    user = reader(request)
    rows = directory.rows(viewing.recent(by=user), by=user)
    return render(request, "profiles/_recent.html", {"rows": rows})
