"""Breaches of personal data: the list with its clocks, and one breach from the finding of people to its end."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.login.fresh import fresh_login
from consent.breach import finding, leaks, recording, report
from consent.breach.forms import BreachForm, JudgeForm, ListForm
from consent.models import Breach, Channel
from consent.views.fetch import attachment
from profiles import directory, viewing
from profiles.views.fetch import reader

LOOKED = "breach.people"  # in the access log
SHOWN = 20


@requires(Permission.VIEW_REQUESTS)
@require_GET
def browse(request: HttpRequest) -> HttpResponse:
    """Every breach with its clock, the latest first."""
    now = timezone.now()
    rows = [(breach, leaks.of(breach.kind), recording.clock(breach, now=now)) for breach in Breach.objects.all()[:200]]
    return render(request, "consent/breaches.html", {"rows": rows})


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("pasted")
def record(request: HttpRequest) -> HttpResponse:
    """Write a breach down: what leaked, and when it was noticed."""
    form = BreachForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            breach = recording.record(by=reader(request), **form.said)
        except MendableError as problem:
            form.add_error(problem.field or None, str(problem.message))
        else:
            messages.success(request, _("Written down. The clock of 72 hours runs."))
            return redirect("consent:breach", breach.pk)
    return render(request, "consent/breach_new.html", {"form": form}, status=422 if form.errors else 200)


@requires(Permission.VIEW_REQUESTS)
@require_GET
def show(request: HttpRequest, breach_id: UUID) -> HttpResponse:
    """One breach: its clock, its people, what is left to do."""
    breach = _breach(breach_id)
    return _show(request, breach, JudgeForm(instance=breach))


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def judge(request: HttpRequest, breach_id: UUID) -> HttpResponse:
    breach = _breach(breach_id)
    form = JudgeForm(request.POST, instance=breach)
    if not form.is_valid():
        return _show(request, breach, form, status=422)
    recording.judge(breach=breach, by=reader(request), **form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("consent:breach", breach.pk)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def done(request: HttpRequest, breach_id: UUID) -> HttpResponse:
    """A step was taken: the office was told, the people were told, nothing is left to do; or look for people again."""
    breach = _breach(breach_id)
    if request.POST.get("step") == "find":
        recording.find_again(breach=breach, by=reader(request))
    elif request.POST.get("step") in recording.STEPS:
        recording.done(breach=breach, step=request.POST["step"], by=reader(request))
        messages.success(request, _("Saved."))
    return redirect("consent:breach", breach.pk)


@requires(Permission.VIEW_REQUESTS, Permission.APPROVE_REQUESTS, Permission.SEE_IDENTIFIERS)
@fresh_login
@require_POST
def people(request: HttpRequest, breach_id: UUID) -> HttpResponseBase:
    """The affected customers with the addresses by which they may be written to, as a file."""
    breach = _breach(breach_id)
    form = ListForm(request.POST)
    if not form.is_valid():
        return _show(request, breach, JudgeForm(instance=breach), status=422)
    chosen = {"purpose": form.cleaned_data["purpose"], "channel": Channel(form.cleaned_data["channel"])}
    parts = report.start_list(breach, by=reader(request), **chosen)
    return attachment(parts, "text/csv; charset=utf-8", f"breach-{breach.reference_text}-people.csv")


@requires(Permission.VIEW_REQUESTS)
@require_GET
def papers(request: HttpRequest, breach_id: UUID, form: str) -> HttpResponseBase:
    """The report for the office, as PDF or as JSON; without any customer."""
    breach = _breach(breach_id)
    if form == "pdf":
        return attachment([report.paper(breach)], "application/pdf", f"breach-{breach.reference_text}.pdf")
    response = JsonResponse(report.document(breach), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="breach-{breach.reference_text}.json"'
    return response


def _breach(breach_id: UUID) -> Breach:
    return get_object_or_404(Breach.objects.select_related("recorded_by"), pk=breach_id)


def _show(request: HttpRequest, breach: Breach, form: JudgeForm, *, status: int = 200) -> HttpResponse:
    user = reader(request)
    shown = list(finding.affected(breach, by=user)[:SHOWN])
    viewing.log(shown, by=user, what=LOOKED)
    context = {
        "breach": breach,
        "leak": leaks.of(breach.kind),
        "clock": recording.clock(breach, now=timezone.now()),
        "missing": recording.missing_of(breach),
        "people": directory.rows(shown, by=user),
        "form": form,
        "list_form": ListForm(),
    }
    return render(request, "consent/breach.html", context, status=status)
