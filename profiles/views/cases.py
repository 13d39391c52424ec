"""Cases of a customer: the panel with its form, and one case with its history and its steps."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from cdp_site.core.models import Department
from profiles import viewing
from profiles.cases import handling, presenting
from profiles.cases.forms import OpenCaseForm, StepForm
from profiles.models import Case, Profile
from profiles.views.fetch import reader, visible_profile

PANEL, PANEL_BODY = "profiles/_cases.html", "#panel-cases-body"


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_GET
def show_panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The customer's cases, with the form for one more."""
    profile = visible_profile(request, public_id, logged_as=viewing.CASES)
    return render_page_or_fragment(request, "profiles/cases.html", PANEL, _panel(request, profile))


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_POST
def open_case(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Open a case; htmx gets the panel again."""
    profile = visible_profile(request, public_id, logged_as=viewing.CASES)
    form = OpenCaseForm(request.POST)
    if form.is_valid():
        try:
            subject = form.cleaned_data["subject"]
            handling.open_case(profile=profile, subject=subject, said=form.said, by=reader(request))
        except MendableError as problem:
            _tell(form, problem)
        else:
            messages.success(request, _("Case opened."))
            return _panel_again(request, profile)
    context = _panel(request, profile, form)
    return render_page_or_fragment(request, "profiles/cases.html", PANEL, context, status=422)


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_GET
def show(request: HttpRequest, public_id: UUID, case_id: UUID) -> HttpResponse:
    """One case: where it stands, what happened, and the form for the next step."""
    profile = visible_profile(request, public_id, logged_as=viewing.CASES)
    return _show_case(request, profile, _case(request, profile, case_id))


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_POST
def note(request: HttpRequest, public_id: UUID, case_id: UUID) -> HttpResponse:
    """Write down what happened."""

    def write(case: Case, form: StepForm) -> str:
        handling.note(case=case, said=form.said, seen=form.seen_step, by=reader(request))
        return _("Noted.")

    return _step(request, public_id, case_id, write)


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_POST
def take(request: HttpRequest, public_id: UUID, case_id: UUID) -> HttpResponse:
    """Follow it up oneself."""

    def write(case: Case, form: StepForm) -> str:
        handling.take(case=case, seen=form.seen_step, by=reader(request))
        return _("It is among your follow-ups now.")

    return _step(request, public_id, case_id, write)


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_POST
def hand_over(request: HttpRequest, public_id: UUID, case_id: UUID) -> HttpResponse:
    """Give it to another department."""

    def write(case: Case, form: StepForm) -> str:
        to: Department | None = form.cleaned_data["to"]
        if to is None:
            raise MendableError(_("Choose the department that goes on with it."), field="to")
        handling.hand_over(case=case, to=to, said=form.said, seen=form.seen_step, by=reader(request))
        return _("Handed over to %(department)s.") % {"department": to}

    return _step(request, public_id, case_id, write)


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_POST
def close(request: HttpRequest, public_id: UUID, case_id: UUID) -> HttpResponse:
    """The customer waits no more; the message can be undone."""

    def write(case: Case, form: StepForm) -> str:
        handling.close(case=case, said=form.said, seen=form.seen_step, by=reader(request))
        return _("Case closed.")

    return _step(request, public_id, case_id, write, undo="profiles:reopen_case")


@requires(Permission.VIEW_CUSTOMERS, Permission.HANDLE_CASES)
@require_POST
def reopen(request: HttpRequest, public_id: UUID, case_id: UUID) -> HttpResponse:
    """The customer waits again: also the undo of closing."""
    profile = visible_profile(request, public_id, logged_as=viewing.CASES)
    handling.reopen(case=_case(request, profile, case_id), by=reader(request))
    messages.success(request, _("The case is open again."))
    return _panel_again(request, profile)


def _step(
    request: HttpRequest, public_id: UUID, case_id: UUID, write: Callable[[Case, StepForm], str], *, undo: str = ""
) -> HttpResponse:
    """Do one step; what cannot be done comes back with all that was typed, and with what colleagues wrote meanwhile."""
    profile = visible_profile(request, public_id, logged_as=viewing.CASES)
    case = _case(request, profile, case_id)
    form = StepForm(request.POST, case=case, seen=None)
    if not form.is_valid():
        return _show_case(request, profile, case, form)
    try:
        said = write(case, form)
    except MendableError as problem:
        _tell(form, problem)
        return _show_case(request, profile, _case(request, profile, case_id), form)
    messages.success(request, said, extra_tags=reverse(undo, args=[public_id, case_id]) if undo else "")
    return _panel_again(request, profile)


def _tell(form: OpenCaseForm | StepForm, problem: MendableError) -> None:
    text = str(problem.message) if problem.hint is None else f"{problem.message} {problem.hint}"
    form.add_error(problem.field if problem.field in form.fields else None, text)


def _case(request: HttpRequest, profile: Profile, case_id: UUID) -> Case:
    case = presenting.find(profile, case_id, by=reader(request))
    if case is None:
        raise Http404
    return case


def _panel(request: HttpRequest, profile: Profile, form: OpenCaseForm | None = None) -> dict[str, object]:
    return {
        "profile": profile,
        "cases": presenting.of_customer(profile, by=reader(request)),
        "form": form or OpenCaseForm(),
    }


def _show_case(request: HttpRequest, profile: Profile, case: Case, form: StepForm | None = None) -> HttpResponse:
    detail = presenting.detail(case, by=reader(request))
    shown = form or StepForm(case=case, seen=detail.seen)
    context = {"profile": profile, "detail": detail, "form": shown, "seen": detail.seen}
    status = 422 if form is not None else 200
    return render_page_or_fragment(request, "profiles/case_page.html", "profiles/case.html", context, status=status)


def _panel_again(request: HttpRequest, profile: Profile) -> HttpResponse:
    """The panel in place of what was sent; a dialog that sent it closes."""
    if not wants_fragment(request):
        return redirect("profiles:customer", profile.public_id)
    response = render(request, PANEL, {**_panel(request, profile), "says": True})
    response["HX-Retarget"], response["HX-Reswap"] = PANEL_BODY, "innerHTML"
    return trigger_client_event(response, "dialog:close")
