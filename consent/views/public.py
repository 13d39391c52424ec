"""Pages for customers, without a login: their preferences, a new link to them, and the form for requests.

They name nobody and find nobody: a link that was forged, has expired or whose person is gone gets one answer, a form
gets one answer whoever it is about, and all of them count how often an address asks.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import public
from cdp_site.core.errors import MendableError
from cdp_site.core.login import limits
from consent.models import Channel, Purpose
from consent.preferences import asking, board, links
from consent.preferences.forms import LinkForm, RequestForm
from consent.requests.public import from_the_public
from profiles.models import Profile

HOUR = timedelta(hours=1)
# A link that opens counts against itself, one that does not against who tries it: thousands of phones share the address
# of their network, and none of them must be kept from withdrawing by the others.
PRESSED, GUESSED = 240, 60
# Forms, by who writes them; mails, by the mailbox that they would fill.
WRITTEN, MAILED = 20, 3

View = Callable[..., HttpResponse]


def _open_to_all(view: View) -> View:
    """Without a login, kept by no cache, and its address told to no other site."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "same-origin"  # without any a browser sends no Origin, and no form counts
        return response

    return public(never_cache(answer))


@_open_to_all
@require_GET
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """What the person's data may be used for, a switch for each purpose on each channel."""
    opened = links.open_link(token)
    if (refused := _refused(request, opened)) is not None or opened is None:
        return refused or _no_link(request)
    named, profile = opened
    obeys_signal = request.headers.get("Sec-GPC") == "1" and board.obey_signal(named=named, profile=profile)
    context = {"token": token, "groups": board.read(profile), "obeys_signal": obeys_signal}
    return render(request, "consent/preferences.html", context)


@_open_to_all
@require_POST
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """Turn one switch, or everything off; then the page again."""
    opened = links.open_link(token)
    if (refused := _refused(request, opened)) is not None or opened is None:
        return refused or _no_link(request)
    named, _profile = opened
    try:
        said = _say(request, named)
    except MendableError as problem:
        messages.error(request, str(problem.message))
    else:
        messages.success(request, said)
    return redirect("consent:preferences", token)


@_open_to_all
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("email")
def ask_link(request: HttpRequest) -> HttpResponse:
    """Have a link mailed to the address that is known here."""
    form = LinkForm(request.POST or None)
    if request.method == "GET":
        return render(request, "consent/preferences_link.html", {"form": form})
    if (refused := _too_often(request, "link", WRITTEN)) is not None:
        return refused
    if not form.is_valid():
        return render(request, "consent/preferences_link.html", {"form": form}, status=422)
    email = form.cleaned_data["email"]
    if limits.take(limits.of_public(request, "mail", most=MAILED, window=HOUR, whom=email)) is None:
        with transaction.atomic():
            asking.ask(email)
    return render(request, "consent/preferences_link.html", {"is_asked": True})


@_open_to_all
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("name", "email", "phone", "text", "represents")
def write_request(request: HttpRequest) -> HttpResponse:
    """A request under the law, from whoever writes it."""
    form = RequestForm(request.POST or None)
    if request.method == "GET":
        return render(request, "consent/privacy_request.html", {"form": form})
    if (refused := _too_often(request, "request", WRITTEN)) is not None:
        return refused
    if not form.is_valid():
        return render(request, "consent/privacy_request.html", {"form": form}, status=422)
    received = from_the_public(kind=form.cleaned_data["kind"], contact=form.contact)
    return render(request, "consent/privacy_request.html", {"received": received})


def _say(request: HttpRequest, named: UUID) -> str:
    if request.POST.get("all") == "off":
        board.all_off(named=named)
        return _("Everything is off. Only what a law demands of us goes on.")
    purpose = get_object_or_404(Purpose, slug=request.POST.get("purpose", ""), is_active=True)
    channel, answer = request.POST.get("channel", ""), request.POST.get("answer", "")
    if channel not in Channel.values or answer not in ("on", "off") or purpose.basis == Purpose.Basis.LEGAL_OBLIGATION:
        raise MendableError(_("This choice is not on the page."))
    board.say(named=named, purpose=purpose, channel=Channel(channel), is_on=answer == "on")
    return _("Saved. It holds from now on.")


def _refused(request: HttpRequest, opened: tuple[UUID, Profile] | None) -> HttpResponse | None:
    """What is answered to a link that is used, or tried, too often."""
    if opened is None:
        return _too_often(request, "guess", GUESSED)
    return _too_often(request, "page", PRESSED, whom=str(opened[0]))


def _too_often(request: HttpRequest, what: str, most: int, whom: str = "") -> HttpResponse | None:
    wait = limits.take(limits.of_public(request, what, most=most, window=HOUR, whom=whom))
    if wait is None:
        return None
    response = render(request, "consent/privacy_busy.html", {"minutes": limits.minutes(wait)}, status=429)
    response["Retry-After"] = str(int(wait.total_seconds()) + 1)
    return response


def _no_link(request: HttpRequest) -> HttpResponse:
    return render(request, "consent/preferences_link.html", {"form": LinkForm(), "is_dead": True}, status=404)
