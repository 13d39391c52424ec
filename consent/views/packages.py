"""The copy that answers a request for access or portability: its page for compliance, and the public link."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, public, requires
from cdp_site.core.login import limits
from cdp_site.core.login.fresh import fresh_login
from consent import package
from consent.models import AccessPackage, DataSubjectRequest
from consent.package import links
from consent.requests import identity
from consent.views.fetch import attachment
from consent.wording import TABLES
from ingestion.files.problems import FileProblem
from profiles.views.fetch import reader

OF_COPIES = (DataSubjectRequest.Kind.ACCESS, DataSubjectRequest.Kind.PORTABILITY)
COPIES, WINDOW = 30, timedelta(minutes=15)  # by address: one person tries a few codes


@requires(Permission.VIEW_REQUESTS)
@require_GET
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """How far the copy is, what it accounts for, and whether it was fetched."""
    return _show(request, _asked(request, request_id))


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@fresh_login
@require_POST
def link(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """A new link and its code, shown this once; the link is sent, if the form names an address for it."""
    asked = _asked(request, request_id)
    held = get_object_or_404(AccessPackage, request=asked)
    wanted = request.POST.get("to", "")
    way = next((one for one in identity.ways(asked) if str(one.identifier) == wanted), None)
    with transaction.atomic():
        issued = links.issue(held, by=reader(request))
        if way is not None:
            links.send(held, url=_url(request, issued), way=way, by=reader(request))
            messages.success(request, _("The link is on its way. Tell the person the code."))
    return _show(request, asked, issued=issued)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def remove(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The file goes before its time."""
    asked = _asked(request, request_id)
    held = get_object_or_404(AccessPackage, request=asked)
    if package.remove(held, because=AccessPackage.Removal.ASKED, by=reader(request)):
        messages.success(request, _("The copy is removed, and its link works no more."))
    return redirect("consent:package", asked.pk)


@public
@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("code")
def copy(request: HttpRequest, token: str) -> HttpResponseBase:
    """The person fetches their copy with the code, once. Whatever is wrong with a link, the answer is one."""
    wait = limits.take(limits.of_public(request, "copy", most=COPIES, window=WINDOW))
    if wait is not None:
        busy = render(request, "consent/privacy_busy.html", {"minutes": limits.minutes(wait)}, status=429)
        busy["Retry-After"] = str(int(wait.total_seconds()) + 1)
        return _private(busy)
    if request.method == "GET":
        return _private(_ask_code(request) if links.find(token) else _no_link(request))
    try:
        pieces = links.fetch(token, request.POST.get("code", ""))
    except links.WrongCode as wrong:
        return _private(_ask_code(request, wrong) if wrong.left else _no_link(request))
    except FileProblem:
        pieces = None
    if pieces is None:
        return _private(_no_link(request))
    return _private(attachment(pieces, "application/zip", "personal-data.zip"))


def _private(response: HttpResponseBase) -> HttpResponseBase:
    """Found by no search engine. That no other site learns its address is said for every page (settings)."""
    response["X-Robots-Tag"] = "noindex"
    return response


def _ask_code(request: HttpRequest, wrong: links.WrongCode | None = None) -> HttpResponse:
    return render(request, "consent/privacy_copy.html", {"wrong": wrong}, status=422 if wrong else 200)


def _no_link(request: HttpRequest) -> HttpResponse:
    return render(request, "consent/privacy_copy.html", {"is_dead": True}, status=404)


def _asked(request: HttpRequest, request_id: UUID) -> DataSubjectRequest:
    visible = DataSubjectRequest.objects.visible_to(request.user).filter(kind__in=OF_COPIES)
    asked: DataSubjectRequest = get_object_or_404(visible, pk=request_id)
    return asked


def _url(request: HttpRequest, issued: links.Issued) -> str:
    return issued.url if settings.PUBLIC_URL else request.build_absolute_uri(issued.path)


def _show(request: HttpRequest, asked: DataSubjectRequest, *, issued: links.Issued | None = None) -> HttpResponse:
    held = AccessPackage.objects.filter(request=asked).first()
    counts = held.counts if held else {}
    context = {
        "asked": asked,
        "package": held,
        "issued": issued,
        "link_url": _url(request, issued) if issued else "",
        "ways": identity.ways(asked) if held and held.is_ready else [],
        "tables": [(TABLES.get(table, table), rows) for table, rows in counts.items()],
    }
    response = render(request, "consent/package.html", context)
    if issued:
        response["Cache-Control"] = "no-store"
    return response
