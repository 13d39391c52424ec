"""Quarantine: what cannot be used, in groups; looking into a message; discarding."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, may, requires
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import quarantine, wording
from ingestion.corrections import rulekeeping, undoing
from ingestion.models import QuarantinedItem
from ingestion.quarantine import Selection
from ingestion.views.fetch import open_item, reader, visible_selection


@requires(Permission.VIEW_SOURCES)
@require_GET
def list_groups(request: HttpRequest) -> HttpResponse:
    user = reader(request)
    context = {"groups": quarantine.groups(by=user), "replays": undoing.recent(by=user)}
    return render(request, "ingestion/quarantine.html", context)


@requires(Permission.VIEW_SOURCES)
@require_GET
def show_group(request: HttpRequest, source_id: int, reason: str) -> HttpResponse:
    """The messages of a group, the newest first; `before` asks for the rows behind a key."""
    selection = visible_selection(request, source_id, reason)
    before = request.GET.get("before", "")
    page = quarantine.page(selection, before=int(before) if before.isdecimal() else None)
    if not page.items and not before:
        return redirect("ingestion:quarantine")
    context = {
        "selection": selection,
        "source": selection.source,
        "reason": reason,
        "reason_text": wording.reason(reason),
        "rows": [(item, _place(request, item)) for item in page.items],
        "next": page.next,
        "n": selection.items.count(),
        "sees_content": quarantine.sees_content(reader(request)),
        "rules": rulekeeping.about(selection.source, reason),
    }
    return render_page_or_fragment(request, "ingestion/quarantine_group.html", "ingestion/_held_rows.html", context)


@requires(Permission.VIEW_SOURCES)
@require_POST
def look_into(request: HttpRequest, item_id: int) -> HttpResponse:
    """What a message says, as far as the reader's role may see it. By POST: each opening is in the audit."""
    item = open_item(request, item_id)
    context = {
        "item": item,
        "place": _place(request, item),
        "reason_text": wording.reason(item.reason),
        "content": quarantine.look_into(item=item, by=reader(request)),
    }
    return render_page_or_fragment(request, "ingestion/held_message.html", "ingestion/_held_message.html", context)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_QUARANTINE)
@require_http_methods(["GET", "POST"])
def discard(request: HttpRequest, item_id: int) -> HttpResponse:
    """Asks, in a dialog or on a page of its own; POST discards one message."""
    item = open_item(request, item_id)
    if request.method == "POST":
        if quarantine.discard(item=item, by=reader(request)):
            messages.success(request, _("Message discarded."))
        return redirect("ingestion:quarantine_group", item.source_id, item.reason)
    return _ask(request, Selection(item.source, item.reason), n=1, last=item, place=_place(request, item))


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_QUARANTINE)
@require_http_methods(["GET", "POST"])
def discard_group(request: HttpRequest, source_id: int, reason: str) -> HttpResponse:
    """Asks, with the number; POST discards those that were there when it was asked."""
    selection = visible_selection(request, source_id, reason)
    if request.method == "POST":
        last = request.POST.get("up_to", "")
        n = quarantine.discard_group(
            selection=selection, up_to=int(last) if last.isdecimal() else 0, by=reader(request)
        )
        if n:
            done = ngettext("%(n)s message discarded.", "%(n)s messages discarded.", n) % {"n": f"{n:,}"}
            messages.success(request, done)
        return redirect("ingestion:quarantine")
    page = quarantine.page(selection, before=None)
    if not page.items:
        return redirect("ingestion:quarantine")
    return _ask(request, selection, n=selection.items.count(), last=page.items[0])


def _place(request: HttpRequest, item: QuarantinedItem) -> str:
    return wording.place(item, names_file=may(request.user, Permission.SEE_IDENTIFIERS))


def _ask(request: HttpRequest, selection: Selection, *, n: int, last: QuarantinedItem, place: str = "") -> HttpResponse:
    """The question; of a single message when `place` says where it stood."""
    context = {
        "selection": selection,
        "source": selection.source,
        "reason": selection.reason,
        "reason_text": wording.reason(selection.reason),
        "n": n,
        "last": last,
        "place": place,
        "is_group": not place,
    }
    return render_page_or_fragment(request, "ingestion/discard.html", "ingestion/_discard.html", context)
