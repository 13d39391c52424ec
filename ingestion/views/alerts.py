"""Alerts: what is open, taking care of it, and who is told."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from ingestion.health import alerts, recipients
from ingestion.health.forms import RecipientForm
from ingestion.models import Alert, AlertDelivery, AlertRecipient
from ingestion.views.fetch import reader

RECENT = 50
ON_HOME = 5


@requires(Permission.VIEW_SOURCES)
@require_GET
def list_alerts(request: HttpRequest) -> HttpResponse:
    """Open ones, and those that are over."""
    over = Alert.objects.visible_to(reader(request)).over().with_source().newest_first()[:RECENT]
    return render(request, "ingestion/alerts.html", {"open": alerts.open_for(reader(request)), "over": over})


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def acknowledge(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Comes back to the list as a fragment, or as a page."""
    alert = get_object_or_404(Alert.objects.visible_to(reader(request)), pk=alert_id)
    alerts.acknowledge(alert=alert, by=reader(request))
    if request.POST.get("from") == "source":
        return redirect("ingestion:source", alert.source_id)
    return redirect("ingestion:alerts")


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_GET
def show_on_home(request: HttpRequest) -> HttpResponse:
    """The panel of the start page."""
    found = alerts.open_for(reader(request))
    return render(request, "ingestion/_alerts_on_home.html", {"alerts": found[:ON_HOME], "n": found.count()})


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_GET
def count_open(request: HttpRequest) -> HttpResponse:
    """The badge of the navigation: nothing when there is nothing."""
    return render(request, "ingestion/_alert_badge.html", {"n": alerts.count_for(reader(request))})


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
@sensitive_variables("added", "secret")
def list_recipients(request: HttpRequest) -> HttpResponse:
    """Who is told; POST adds one. The secret of a webhook is in this one answer and cannot be had again."""
    form, secret = RecipientForm(request.POST or None, initial={"language": reader(request).language or "th"}), ""
    if request.method == "POST" and form.is_valid():
        try:
            added = recipients.add(**form.cleaned_data, by=reader(request))
        except MendableError as problem:
            form.add_error(problem.field, str(problem.message))
        else:
            if not added.secret:
                messages.success(request, _("Added. Send a test to see that it arrives."))
                return redirect("ingestion:alert_recipients")
            form, secret = RecipientForm(), added.secret
    context = {
        "form": form,
        "secret": secret,
        "recipients": AlertRecipient.objects.with_department(),
        "mail_is_sent": settings.EMAIL_IS_SENT,
        "failed": AlertDelivery.objects.last_problems(),
    }
    return render(request, "ingestion/alert_recipients.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def send_test(request: HttpRequest, recipient_id: int) -> HttpResponse:
    """Waits for what becomes of it, some seconds at most, and says so."""
    recipient = get_object_or_404(AlertRecipient, pk=recipient_id)
    test = recipients.send_test(recipient=recipient, by=reader(request))
    context = {"recipient": recipient, "test": test, "problem": recipients.problem_text(test.problem)}
    return render_page_or_fragment(request, "ingestion/alert_test.html", "ingestion/_alert_test.html", context)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def remove_recipient(request: HttpRequest, recipient_id: int) -> HttpResponse:
    recipients.remove(recipient=get_object_or_404(AlertRecipient, pk=recipient_id), by=reader(request))
    messages.success(request, _("Removed."))
    return redirect("ingestion:alert_recipients")
