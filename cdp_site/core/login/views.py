"""The way in, the way out, and saying again who one is."""

from typing import cast

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.core.exceptions import ImmediateHttpResponse
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from requests import RequestException

from cdp_site.core.access import public, requires
from cdp_site.core.htmx import wants_fragment
from cdp_site.core.login import again, company, passkeys, views_forgotten
from cdp_site.core.login.adapters import AccountAdapter
from cdp_site.core.login.addresses import login_address, safe_path, wanted
from cdp_site.core.login.forms import LoginForm
from cdp_site.core.login.sessions import Ended
from cdp_site.core.models import User


@public
@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
def log_in(request: HttpRequest) -> HttpResponseBase:
    """Name and password, then the second factor where there is one; afterwards the page that was asked for."""
    target = wanted(request)
    if request.user.is_authenticated:
        return redirect(target)
    form = LoginForm(request, data=request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        user = form.get_user()
        credentials = {"username": user.get_username()}
        return cast("HttpResponse", perform_password_login(request, credentials, Login(user=user, redirect_url=target)))
    ended = request.GET.get("ended", "")
    context = {
        "form": form,
        "next": target,
        "ended": ended if ended in list(Ended) else "",
        "company_login": company.is_offered(),
        "passkeys": passkeys.are_possible(request),
        "forgotten": views_forgotten.is_offered(),
    }
    return render(request, "core/login.html", context, status=_status(form))


def _status(form: LoginForm) -> int:
    if not form.is_bound:
        return 200
    return 429 if form.has_error("__all__", "too_many") else 422


@public
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    AccountAdapter(request).logout(request)
    return redirect("login")


@public
@never_cache
@require_GET
def by_company(request: HttpRequest) -> HttpResponseBase:
    """To the company's login provider. Another site's link does not start it: that opens the login page."""
    target = wanted(request)
    if not company.is_offered() or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return redirect(login_address(request))
    is_again = request.user.is_authenticated
    if is_again and "again" not in request.GET:
        return redirect(target)
    try:
        return company.start(request, next_path=target, again=is_again)
    except ImmediateHttpResponse as answer:
        return answer.response
    except RequestException:
        messages.error(request, _("The company login cannot be reached. Try again, or log in in another way."))
        return redirect("login")


@requires()
@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def log_in_again(request: HttpRequest) -> HttpResponseBase:
    """A page, or htmx's dialog: 204 with the event `login:again` when it is done, then the action goes on."""
    form = again.AgainForm(cast("User", request.user), request.POST if request.method == "POST" else None)
    if form.is_bound:
        over = again.judge(request, form)
        if over is not None:
            return over
        if form.is_valid():
            return _go_on(request)
    came_from = safe_path(request.htmx.current_url_abs_path) if wants_fragment(request) else None  # type: ignore[attr-defined]
    context = again.context_of(request, form) | {"next": came_from or wanted(request), "address": request.path}
    page = "core/_login_again.html" if wants_fragment(request) else "core/login_again.html"
    return render(request, page, context, status=422 if form.is_bound else 200)


def _go_on(request: HttpRequest) -> HttpResponse:
    if wants_fragment(request):
        return HttpResponse(status=204, headers={"HX-Trigger": "login:again"})
    return redirect(wanted(request))
