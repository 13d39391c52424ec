"""Settings of requests: who decides besides compliance, and the gateways that carry messages."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.login.fresh import fresh_login
from cdp_site.core.models import User
from consent.models import MessageGateway, OutgoingMessage
from consent.requests import delegates, gateways
from consent.requests.forms import DelegateForm, GatewayForm, GatewayTestForm
from consent.requests.messages import problem_text
from profiles.views.fetch import reader


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@fresh_login
@require_http_methods(["GET", "POST"])
def list_delegates(request: HttpRequest) -> HttpResponse:
    """Delegates and the form that appoints one."""
    user = reader(request)
    form = DelegateForm(request.POST or None, by=user)
    if request.method == "POST" and form.is_valid():
        try:
            delegates.appoint(**form.cleaned_data, by=user)
        except MendableError as problem:
            form.add_error(problem.field, str(problem.message))
        else:
            messages.success(request, _("Appointed. They see requests and approve those that others have recorded."))
            return redirect("consent:delegates")
    context = {"form": form, "delegates": delegates.appointed()}
    return render(request, "consent/delegates.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def dismiss_delegate(request: HttpRequest, user_id: int) -> HttpResponse:
    delegate = get_object_or_404(User, pk=user_id, decides_until__isnull=False)
    delegates.dismiss(user=delegate, by=reader(request))
    messages.success(request, _("They decide on requests no more."))
    return redirect("consent:delegates")


@requires(Permission.MANAGE_CONFIGURATION)
@fresh_login
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("secret")
def list_gateways(request: HttpRequest) -> HttpResponse:
    """Gateways and the form that sets one up."""
    form = GatewayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            gateways.save(**form.cleaned_data, by=reader(request))
        except MendableError as problem:
            form.add_error(problem.field if problem.field in form.fields else "url", str(problem.message))
        else:
            messages.success(request, _("Saved. Send a test to see that it arrives."))
            return redirect("consent:gateways")
    context = {
        "form": form,
        "gateways": MessageGateway.objects.order_by("channel"),
        "test_form": GatewayTestForm(),
    }
    return render(request, "consent/gateways.html", context, status=422 if form.errors else 200)


@requires(Permission.MANAGE_CONFIGURATION)
@require_POST
@sensitive_post_parameters("to")
def test_gateway(request: HttpRequest, channel: str) -> HttpResponse:
    """Waits for what becomes of the test, some seconds at most, and says so."""
    gateway = get_object_or_404(MessageGateway, channel=channel)
    form = GatewayTestForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say to whom the test goes."))
        return redirect("consent:gateways")
    text = _("This is a test of the customer data platform.")
    test = gateways.send_test(gateway=gateway, to=form.cleaned_data["to"], text=text, by=reader(request))
    if test.status == OutgoingMessage.Status.SENT:
        messages.success(request, _("The gateway took the test."))
    else:
        messages.error(request, _("The test did not arrive. %(why)s") % {"why": problem_text(test.problem)})
    return redirect("consent:gateways")
