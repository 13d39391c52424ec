"""The screen pop and the page of a call: whose number it is, two facts, and the customer who is new.

Numbers, answers and names travel by POST and stand in no address. What the page shows before the caller is verified
identifies nobody.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError, NotFoundProblem
from profiles import calling, directory, viewing
from profiles.calling import callers, lines, newcomers, verifying
from profiles.calling.forms import FactsForm, NewcomerForm, NumberForm
from profiles.views.fetch import reader

CARD = "call.card"  # in the access log: that the customer may be the caller


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@never_cache
@require_GET
def pop(request: HttpRequest, token: str) -> HttpResponse:
    """What a telephone system opens in the agent's browser: the call becomes theirs, and the token leaves the
    address."""
    try:
        lines.take(token, by=reader(request))
    except NotFoundProblem as problem:
        messages.warning(request, f"{problem.message} {problem.hint}")
    return redirect("profiles:call")


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@sensitive_post_parameters("number")
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """The call that the agent is in; without one, the number that calls is typed here."""
    if request.method == "GET":
        return _page(request)
    form = NumberForm(request.POST)
    if form.is_valid():
        try:
            lines.begin(number=form.cleaned_data["number"], by=reader(request))
            return redirect("profiles:call")
        except MendableError as problem:
            _say(form, problem)
    return _page(request, status=422, number_form=form)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """One of the number's people is speaking; without one that is open again."""
    user = reader(request)
    asked = request.POST.get("customer", "")
    caller = None
    if asked:
        call = calling.current(user)
        caller = callers.chosen(call, _public_id(asked), by=user) if call else None
        if caller is None:
            raise Http404
    lines.choose(caller, by=user)
    return redirect("profiles:call")


def _public_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    """Compare what the caller answers; two facts lead to the customer's page. Who comes back to the address (another
    language, a reload) is led to the call."""
    user = reader(request)
    call = calling.current(user)
    caller = callers.one(call, by=user) if call else None
    if request.method == "GET" or call is None or caller is None or call.verified_at is not None:
        return redirect("profiles:call")
    form = FactsForm(request.POST, askable=verifying.standing(call, caller, by=user).askable)
    if not form.is_valid():
        return _page(request, status=422, facts_form=form)
    if not form.answers:
        form.add_error(None, _("Write down what the caller answers."))
        return _page(request, status=422, facts_form=form)
    outcome = verifying.check(form.answers, by=user)
    if outcome.is_verified:
        messages.success(request, _("Verified: the customer's data is open to you until the call ends."))
        return redirect("profiles:customer", caller.profile.public_id)
    if outcome.left == 0:
        return redirect("profiles:call")
    for kind in outcome.wrong:
        form.add_error(kind.value, _("This is not what we have."))
    for kind in outcome.unreadable:
        form.add_error(kind.value, _("This cannot be read; it counts as no try."))
    for kind in outcome.right & form.fields.keys():
        del form.fields[kind.value]
    return _page(request, status=422 if form.errors else 200, facts_form=form)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """The caller becomes a customer."""
    if request.method == "GET":
        return redirect("profiles:call")
    form = NewcomerForm(request.POST)
    if form.is_valid():
        try:
            profile = newcomers.create(**form.cleaned_data, by=reader(request))
        except MendableError as problem:
            if problem.field not in form.fields:
                raise
            _say(form, problem)
        else:
            messages.success(request, _("The customer is created."))
            call = calling.current(reader(request))
            if call is None or call.verified_at is None:
                return redirect("profiles:call")
            return redirect("profiles:customer", profile.public_id)
    return _page(request, status=422, newcomer_form=form)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """The call is over: what it opened is masked again."""
    lines.end(by=reader(request))
    messages.info(request, _("The call has ended."))
    return redirect("profiles:call")


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_GET
def show_strip(request: HttpRequest) -> HttpResponse:
    """Below the top bar of every page: the call that the agent is in, and the customers opened last; of whom may be
    calling no name before they are verified."""
    user = reader(request)
    call = calling.current(user)
    hidden = callers.profile_ids(call) if call and call.verified_at is None else frozenset()
    shown = [profile for profile in viewing.recent(by=user) if profile.pk not in hidden]
    return render(request, "profiles/_strip.html", {"call": call, "rows": directory.rows(shown, by=user)})


def _say(form: NumberForm | NewcomerForm, problem: MendableError) -> None:
    form.add_error(problem.field, " ".join(str(text) for text in (problem.message, problem.hint) if text))


def _page(request: HttpRequest, *, status: int = 200, **forms: Any) -> HttpResponse:
    user = reader(request)
    call = calling.current(user)
    context: dict[str, Any] = {"call": call, "number_form": NumberForm(), "newcomer_form": NewcomerForm()}
    if call is not None:
        caller = callers.one(call, by=user)
        people = [] if caller else callers.of_number(call, by=user)
        viewing.log([one.profile for one in [*people, caller] if one], by=user, what=CARD)
        context |= {
            "caller": caller,
            "people": people[: callers.MOST],
            "are_more": len(people) > callers.MOST,
            "has_number": call.sealed_number is not None,
        }
        if caller is not None and call.verified_at is None:
            standing = verifying.standing(call, caller, by=user)
            context |= {"standing": standing, "facts_form": FactsForm(askable=standing.askable)}
    return render(request, "profiles/call.html", context | forms, status=status)
