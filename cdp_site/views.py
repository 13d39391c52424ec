"""The frame's own pages: home, language and display switches, and the pages of an error."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render, resolve_url
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from cdp_site import health
from cdp_site.core import palette
from cdp_site.core.access import public, requires
from cdp_site.core.api_errors import error_response, wants_json
from cdp_site.core.context import THEME_COOKIE, THEMES, remember
from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.home import panels_for
from cdp_site.core.htmx import wants_fragment
from cdp_site.core.models import User

# What a display switch may set: cookie name → values. Nothing else gets into a cookie from here.
DISPLAY_COOKIES = {
    THEME_COOKIE: THEMES,
    "density": ("compact", "roomy"),
    "nav": ("open", "collapsed"),
    "keys": ("on", "off"),
}


@requires()
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the reader's role: one panel of each app that has something for it."""
    return render(request, "core/home.html", {"panels": panels_for(request.user)})


@public
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Thai or English, remembered in a cookie and with the user; back to the page that it was asked from."""
    response = _back(request)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES):
        remember(response, settings.LANGUAGE_COOKIE_NAME, language)
        if isinstance(request.user, User):
            request.user.language = language
            request.user.save(update_fields=["language"])
    return response


@public
@require_POST
def set_display(request: HttpRequest) -> HttpResponse:
    """Theme, rows, navigation, single keys: cookies that the server renders. 204 for the page's script."""
    response = HttpResponse(status=204) if wants_fragment(request) else _back(request)
    for name, values in DISPLAY_COOKIES.items():
        value = request.POST.get(name)
        if value in values:
            remember(response, name, value)
    return response


@requires()
@require_POST
@sensitive_post_parameters("q")
def find_anything(request: HttpRequest) -> HttpResponse:
    """What the palette finds of what is typed: customers, segments, actions and pages that the reader may open."""
    if not isinstance(request.user, User):
        raise Http404
    sections = palette.find(request.POST.get("q", ""), by=request.user)
    return render(request, "core/_palette_results.html", {"sections": sections})


@public
@never_cache
@require_GET
def healthz(request: HttpRequest) -> JsonResponse:
    """For whoever watches the machine: database, signs of life, backlog. 503 when anything is missing."""
    report = health.examine()
    return JsonResponse(report.as_json(), status=200 if report.is_good else 503)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_json(request):
        return error_response(_with_status(MendableError(_("Not part of your role."), code="forbidden"), 403))
    return render(request, "core/403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if wants_json(request):
        return error_response(NotFoundProblem(_("There is nothing at this address.")))
    return render(request, "core/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: neither the database nor the session can be relied on here."""
    if wants_json(request):
        problem = MendableError(_("Something broke on our side."), hint=_("Send it again later."), code="internal")
        return error_response(_with_status(problem, 500))
    theme = request.COOKIES.get(THEME_COOKIE, THEMES[0])
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE)
    with override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
        page = render_to_string(
            "core/500.html", {"theme": theme if theme in THEMES else THEMES[0], "company_name": settings.COMPANY_NAME}
        )
    return HttpResponse(page, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was sent from a page too old to be trusted, or from another site."""
    if wants_json(request):
        return permission_denied(request)
    return render(request, "core/csrf.html", status=403)


def _with_status(problem: MendableError, status: int) -> MendableError:
    problem.status = status
    return problem


def _safe_target(request: HttpRequest) -> str:
    """`next` of the request when it stays on this host, else home."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def _back(request: HttpRequest) -> HttpResponseRedirect:
    """Back to the page; a search is repeated by POST (307), because its words never stand in an address."""
    target = _safe_target(request)
    repeats_search = bool(request.POST.get("q")) and target == reverse("profiles:search")
    return HttpResponseRedirect(target, preserve_request=repeats_search)
