"""The timeline of the 360 page: a card that replaces itself, and its older rows."""

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from cdp_site.core import timeline_links
from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from profiles import masking, notes, past, timeline, viewing
from profiles.views.fetch import reader, visible_profile

# Of one customer, between the touchpoints; who has more reads the rest in the panel of notes.
MOST_NOTES = 200


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The timeline with its filters; `after` asks for the rows behind a key alone."""
    profile = visible_profile(request, public_id, logged_as=viewing.TIMELINE)
    user = reader(request)
    scope = scope_of(user)
    filters = timeline.Filters.read(request.GET)
    after = timeline.Cursor.read(request.GET.get("after", ""))
    then = past.asked(profile, request.GET, scope=scope)
    shows_identifiers = masking.shows_identifiers(user, profile.pk)
    written = list(notes.visible(profile, to=user)[:MOST_NOTES])
    if then is not None:
        written = [note for note in written if note.at < then.at]
    page = timeline.page(
        profile,
        scope=scope,
        filters=filters,
        after=after,
        notes=written,
        past=then,
        shows_identifiers=shows_identifiers,
        links=partial(timeline_links.links_at, user=user),
    )
    context = {
        "profile": profile,
        "filters": filters,
        "after": after,
        "past": then,
        "page": page,
        "shows_details": shows_identifiers,
    }
    if after is not None and wants_fragment(request):
        response = render(request, "profiles/_timeline_rows.html", context)
        patch_vary_headers(response, ["HX-Request"])
        return response
    context["choices"] = timeline.choices(profile, scope=scope, filters=filters, notes=written, past=then)
    return render_page_or_fragment(request, "profiles/timeline.html", "profiles/_timeline.html", context)
