"""How a member of staff arranges the customer's page: folding a panel, and the dialog that orders them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from profiles import arrangement
from profiles.views.fetch import reader

_STEPS = {"up": -1, "down": 1}


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The dialog: the panels of each column with buttons that move them."""
    return _dialog(request)


@requires(Permission.VIEW_CUSTOMERS)
@require_POST
def fold(request: HttpRequest, panel: str) -> HttpResponse:
    """Remember that a panel is folded, or open again. The page has done it already."""
    arrangement.fold(_known(request, panel), folded=request.POST.get("folded") == "1", by=reader(request))
    return HttpResponse(status=204)


@requires(Permission.VIEW_CUSTOMERS)
@require_POST
def move(request: HttpRequest, panel: str) -> HttpResponse:
    """One place up or down; the dialog comes again, and the page behind it follows."""
    step = _STEPS.get(request.POST.get("to", ""))
    if step is None:
        raise Http404
    arrangement.move(_known(request, panel), step=step, by=reader(request))
    return _dialog(request, moved=panel)


@requires(Permission.VIEW_CUSTOMERS)
@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """As everybody has it in the beginning."""
    arrangement.reset(by=reader(request))
    return _dialog(request)


def _dialog(request: HttpRequest, *, moved: str = "") -> HttpResponse:
    context = {"arrangement": arrangement.of(reader(request)), "moved": moved}
    return render(request, "profiles/arrangement.html", context)


def _known(request: HttpRequest, panel: str) -> str:
    if panel not in {one.key for one in arrangement.panels_of(reader(request))}:
        raise Http404
    return panel
