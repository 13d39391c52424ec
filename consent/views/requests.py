"""Requests of data subjects: the queue, the intake, and one request from preview to certificate."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from cdp_site.core.login.fresh import fresh_login
from consent import case, forwarded, requests
from consent.models import DataSubjectRequest, ForwardedRequest
from consent.requests import messages as letters
from consent.requests import presenting
from consent.requests.forms import (
    ChangeForm,
    CodeForm,
    ExtensionForm,
    IntakeForm,
    ProofForm,
    RefusalForm,
    SeenForm,
)
from profiles import directory, finding, viewing
from profiles.models import Profile
from profiles.views.fetch import reader, visible_profile

INTAKE = "request.intake"  # in the access log
MOST_MATCHES = 10


@requires(Permission.VIEW_REQUESTS)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Open requests, the most urgent first; or those that have ended."""
    ended = request.GET.get("show") == "ended"
    visible = DataSubjectRequest.objects.visible_to(request.user).with_people()
    rows = case.rows(visible.ended()[: case.MOST_ENDED] if ended else visible.queue(), now=timezone.now())
    context = {
        "rows": rows,
        "shows_ended": ended,
        "open_count": visible.open().count(),
        "undelivered": [] if ended else [(one, letters.problem_text(one.problem)) for one in letters.tasks()],
        "forwarded": [] if ended else ForwardedRequest.objects.visible_to(request.user).waiting().with_source(),
    }
    return render_page_or_fragment(request, "consent/requests.html", "consent/_requests.html", context)


@requires(Permission.VIEW_REQUESTS)
@require_GET
def due(request: HttpRequest) -> HttpResponse:
    """The panel of the start page: what is due next."""
    visible = DataSubjectRequest.objects.visible_to(request.user)
    rows = case.rows(visible.queue()[: case.SHOWN_AT_HOME], now=timezone.now())
    return render(request, "consent/_due.html", {"rows": rows, "open_count": visible.open().count()})


@requires(Permission.MANAGE_REQUESTS, Permission.VIEW_CUSTOMERS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("note", "value")
def intake(request: HttpRequest) -> HttpResponse:
    """Take a request in: choose the customer, then say when and how they asked."""
    profile = _asked_about(request)
    if request.method == "GET" or profile is None:
        form = IntakeForm(initial={"profile": profile.public_id, "received_at": timezone.now()}) if profile else None
        return _show_intake(request, profile, form)
    form = IntakeForm(request.POST)
    if form.is_valid():
        try:
            received = requests.receive(profile=profile, by=reader(request), **form.given)
        except MendableError as problem:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        else:
            if received.kind in DataSubjectRequest.BLOCKING:
                messages.success(request, _("Request recorded. The customer's data is not used any more from now on."))
            else:
                messages.success(request, _("Request recorded."))
            return redirect("consent:request", received.pk)
    return _show_intake(request, profile, form, status=422)


@requires(Permission.MANAGE_REQUESTS, Permission.VIEW_CUSTOMERS)
@require_POST
@sensitive_post_parameters("q")
def find(request: HttpRequest) -> HttpResponse:
    """Customers whom a request may be about."""
    user = reader(request)
    text = request.POST.get("q", "")
    matches = finding.find(text, by=user, limit=MOST_MATCHES)
    viewing.log([match.row.profile for match in matches], by=user, what=viewing.FOUND)
    context = {"matches": matches, "search_text": text, "is_asked": finding.is_long_enough(text)}
    return render_page_or_fragment(request, "consent/intake.html", "consent/_matches.html", context)


@requires(Permission.VIEW_REQUESTS)
@require_GET
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request: who asked when, what will go, how far it is. A running one asks for itself again."""
    asked = _visible(request, request_id)
    return _show(request, asked, RefusalForm())


@requires(Permission.VIEW_REQUESTS, Permission.APPROVE_REQUESTS)
@fresh_login
@require_POST
def approve(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked = _visible(request, request_id)
    requests.approve(request_id=asked.pk, by=reader(request))
    messages.success(request, _("Approved."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def refuse(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked = _visible(request, request_id)
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return _show(request, asked, form, status=422)
    requests.refuse(request_id=asked.pk, **form.cleaned_data, by=reader(request))
    messages.success(request, _("Request closed with its reason."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def retry(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked = _visible(request, request_id)
    requests.retry(request_id=asked.pk, by=reader(request))
    messages.info(request, _("The steps that failed are being tried again."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def close_forwarded(request: HttpRequest, forwarded_id: UUID) -> HttpResponse:
    """What a system passed on has been dealt with."""
    asked = get_object_or_404(ForwardedRequest.objects.visible_to(request.user), pk=forwarded_id)
    forwarded.close(forwarded_id=asked.pk, by=reader(request))
    messages.success(request, _("Closed. Whom it was about is no longer kept with it."))
    return redirect("consent:requests")


def _visible(request: HttpRequest, request_id: UUID) -> DataSubjectRequest:
    visible = DataSubjectRequest.objects.visible_to(request.user).with_people()
    asked: DataSubjectRequest = get_object_or_404(visible, pk=request_id)
    return asked


def _show(request: HttpRequest, asked: DataSubjectRequest, form: RefusalForm, *, status: int = 200) -> HttpResponse:
    context = {"asked": asked, "case": case.read(asked, by=reader(request), now=timezone.now())}
    if wants_fragment(request) and status == 200:
        return render(request, "consent/_progress.html", context)
    desk = presenting.read(asked, by=reader(request))
    context |= {
        "form": form,
        "desk": desk,
        "extension_form": ExtensionForm(),
        "code_form": CodeForm(ways=list(desk.ways)),
        "proof_form": ProofForm(),
        "seen_form": SeenForm(),
        "change_form": ChangeForm() if desk.may_say_changes else None,
    }
    return render(request, "consent/request.html", context, status=status)


def _asked_about(request: HttpRequest) -> Profile | None:
    named = (request.POST if request.method == "POST" else request.GET).get("profile", "")
    try:
        public_id = UUID(named)
    except ValueError:
        return None
    return visible_profile(request, public_id, logged_as=INTAKE)


def _show_intake(
    request: HttpRequest, profile: Profile | None, form: IntakeForm | None, *, status: int = 200
) -> HttpResponse:
    rows = directory.rows([profile], by=reader(request)) if profile else []
    context = {"profile": profile, "person": rows[0] if rows else None, "form": form}
    return render(request, "consent/intake.html", context, status=status)
