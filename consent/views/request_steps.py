"""Steps of a request between intake and end: whom it is about, identity, extension, letter, its end."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, public, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.login import limits
from cdp_site.core.login.fresh import fresh_login
from consent import requests
from consent.models import DataSubjectRequest, OutgoingMessage
from consent.requests import identity, intake, letter
from consent.requests import messages as sending
from consent.requests.forms import ChangeForm, CodeForm, ExtensionForm, ProofForm, SeenForm
from consent.views.fetch import attachment
from profiles import finding, viewing
from profiles.views.fetch import reader, visible_profile

INTAKE = "request.intake"  # in the access log
MOST_MATCHES = 10
TRIES_AN_HOUR = 30  # at the public page, of one address
HOUR = timedelta(hours=1)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS, Permission.VIEW_CUSTOMERS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("q")
def name_person(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Find out whom a request of the public form is about, and say so."""
    asked, user = _visible(request, request_id), reader(request)
    if request.method == "POST" and "profile" in request.POST:
        profile = visible_profile(request, _uuid(request.POST["profile"]), logged_as=INTAKE)
        identity.name_person(request_id=asked.pk, profile=profile, by=user)
        return redirect("consent:request", asked.pk)
    text = request.POST.get("q", "")
    matches = finding.find(text, by=user, limit=MOST_MATCHES) if text else []
    viewing.log([match.row.profile for match in matches], by=user, what=viewing.FOUND)
    context = {
        "asked": asked,
        "contact": {name: said for name, said in intake.unseal(asked.contact).items() if said},
        "matches": matches,
        "search_text": text,
        "is_asked": finding.is_long_enough(text),
    }
    return render(request, "consent/request_person.html", context)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def send_code(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked = _visible(request, request_id)
    form = CodeForm(request.POST, ways=identity.ways(asked))
    if form.is_valid():
        identity.send_code(request_id=asked.pk, identifier=form.cleaned_data["identifier"], by=reader(request))
        messages.success(request, _("The code is on its way."))
    else:
        messages.error(request, _("Choose where the code goes."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
@sensitive_post_parameters("code")
def prove(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The customer tells the code to staff, who type it in."""
    asked, form = _visible(request, request_id), ProofForm(request.POST)
    if form.is_valid() and identity.prove(request_id=asked.pk, code=form.cleaned_data["code"], by=reader(request)):
        messages.success(request, _("The person is identified."))
    else:
        messages.error(request, _("That is not the code, or it has expired."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
@sensitive_post_parameters("proof_seen")
def see(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Staff have seen who asked."""
    asked, form = _visible(request, request_id), SeenForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose how the person was identified."))
        return redirect("consent:request", asked.pk)
    said = form.cleaned_data
    identity.see(request_id=asked.pk, check=said["identity_checked"], proof_seen=said["proof_seen"], by=reader(request))
    messages.success(request, _("The person is identified."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
@sensitive_post_parameters("value")
def say_changes(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked, form = _visible(request, request_id), ChangeForm(request.POST)
    form.is_valid()
    intake.say_changes(request_id=asked.pk, changes=form.changes, by=reader(request))
    messages.success(request, _("Saved."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def extend(request: HttpRequest, request_id: UUID) -> HttpResponse:
    asked, form = _visible(request, request_id), ExtensionForm(request.POST)
    if form.is_valid():
        requests.extend(request_id=asked.pk, reason=form.cleaned_data["reason"], by=reader(request))
        messages.success(request, _("Extended. Tell the person; the letter is on this page."))
    else:
        messages.error(request, _("An extension needs a reason, which the person is told."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def close(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The person was told."""
    asked = _visible(request, request_id)
    requests.close(request_id=asked.pk, by=reader(request))
    messages.success(request, _("Closed."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS, Permission.APPROVE_REQUESTS, Permission.MANAGE_REQUESTS)
@fresh_login
@require_POST
def lift(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """A restriction ends."""
    asked = _visible(request, request_id)
    requests.lift(request_id=asked.pk, by=reader(request))
    messages.success(request, _("The restriction is lifted. The customer's data may be used again."))
    return redirect("consent:request", asked.pk)


@requires(Permission.VIEW_REQUESTS)
@require_GET
def show_letter(request: HttpRequest, request_id: UUID, language: str) -> HttpResponseBase:
    """The letter of a refusal or an extension, as a file."""
    asked = _visible(request, request_id)
    if language not in letter.LANGUAGES or not letter.has_letter(asked):
        raise Http404
    return attachment([letter.write(asked, language)], "application/pdf", f"letter-{asked.reference}-{language}.pdf")


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def settle_message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """What could not be delivered was told in another way."""
    message = get_object_or_404(OutgoingMessage, pk=message_id, request__isnull=False)
    sending.settle(message_id=message.pk, by=reader(request))
    messages.success(request, _("Done."))
    return redirect("consent:requests")


@public
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("code")
def prove_public(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Where somebody gives their code back. The same page and the same answers for every id, also for one that does not
    exist: a wrong code, an expired one and none at all are one thing."""
    form, status = ProofForm(request.POST or None), 200
    is_proven = False
    if request.method == "POST":
        wait = limits.take(limits.of_public(request, "code", most=TRIES_AN_HOUR, window=HOUR))
        if wait is not None:
            busy = render(request, "consent/privacy_busy.html", {"minutes": limits.minutes(wait)}, status=429)
            busy["Retry-After"] = str(int(wait.total_seconds()) + 1)
            return busy
        is_proven = form.is_valid() and identity.prove(request_id=request_id, code=form.cleaned_data["code"])
        if not is_proven:
            form.add_error("code", _("That is not the code, or it has expired."))
            status = 422
    context = {"form": form, "is_proven": is_proven, "request_id": request_id}
    return render(request, "consent/privacy_code.html", context, status=status)


def _visible(request: HttpRequest, request_id: UUID) -> DataSubjectRequest:
    asked: DataSubjectRequest = get_object_or_404(DataSubjectRequest.objects.visible_to(reader(request)), pk=request_id)
    return asked


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise MendableError(_("Choose a customer from the list.")) from error
