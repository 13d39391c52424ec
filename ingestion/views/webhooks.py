"""Webhooks of a source: the list, a new one, and one webhook's page with its address, settings and secret."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from ingestion.models import Source, Webhook
from ingestion.views.fetch import company_source, reader
from ingestion.webhooks import endpoints, shopify
from ingestion.webhooks.webhook_forms import FORMS, SecretForm
from ingestion.webhooks.wording import relay_problem


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_GET
def list_webhooks(request: HttpRequest, source_id: int) -> HttpResponse:
    source = company_source(request, source_id)
    context = {"source": source, "webhooks": endpoints.of_source(source), "kinds": Webhook.Kind.choices}
    return render(request, "ingestion/webhooks.html", context)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("secret")
@sensitive_variables("secret")
def create(request: HttpRequest, source_id: int, kind: str) -> HttpResponse:
    """A new webhook. A secret that is made here is in this one answer and cannot be had again."""
    source = company_source(request, source_id)
    if kind not in FORMS:
        raise Http404
    posted = request.POST or None
    form, secret_form = FORMS[kind](posted, source=source), SecretForm(posted, kind=kind)
    if request.method == "POST" and form.is_valid() and secret_form.is_valid():
        given = secret_form.cleaned_data["secret"]
        try:
            webhook, secret = endpoints.make(
                source=source, kind=kind, settings=form.cleaned_data, secret=given, by=reader(request)
            )
        except MendableError as problem:
            (secret_form if problem.field == "secret" else form).add_error(problem.field, str(problem.message))
        else:
            messages.success(request, _("The webhook is there. Enter its address in the other system."))
            if given:
                return redirect("ingestion:webhook", source.pk, webhook.pk)
            return render(request, "ingestion/webhook.html", _context(request, webhook, new_secret=secret))
    context = {"source": source, "kind": kind, "label": Webhook.Kind(kind).label, "forms": (form, secret_form)}
    return render(request, "ingestion/webhook_new.html", context, status=422 if request.method == "POST" else 200)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest, source_id: int, webhook_id: int) -> HttpResponse:
    """One webhook; POST changes its settings."""
    webhook = _visible(request, source_id, webhook_id)
    if request.method == "GET":
        return render(request, "ingestion/webhook.html", _context(request, webhook))
    form = FORMS[webhook.kind](request.POST, source=webhook.source, initial=webhook.settings)
    if form.is_valid():
        try:
            kept = {"tolerance_seconds": webhook.settings["tolerance_seconds"]} if "mapping" in form.fields else {}
            if endpoints.change(webhook=webhook, settings=kept | form.cleaned_data, by=reader(request)):
                messages.success(request, _("Saved."))
        except MendableError as problem:
            form.add_error(problem.field, str(problem.message))
        else:
            return redirect("ingestion:webhook", webhook.source_id, webhook.pk)
    return render(request, "ingestion/webhook.html", _context(request, webhook, form=form), status=422)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
@sensitive_post_parameters("secret")
@sensitive_variables("secret")
def rotate(request: HttpRequest, source_id: int, webhook_id: int) -> HttpResponse:
    """Another secret. One that is made here is in this one answer and cannot be had again."""
    webhook = _visible(request, source_id, webhook_id)
    form = SecretForm(request.POST, kind=webhook.kind)
    if form.is_valid():
        given = form.cleaned_data["secret"]
        try:
            secret = endpoints.rotate(webhook=webhook, secret=given, by=reader(request))
        except MendableError as problem:
            form.add_error(problem.field, str(problem.message))
        else:
            messages.success(
                request, _("The new secret holds from now on; reports signed with the old one are refused.")
            )
            if given:
                return redirect("ingestion:webhook", webhook.source_id, webhook.pk)
            return render(request, "ingestion/webhook.html", _context(request, webhook, new_secret=secret))
    return render(request, "ingestion/webhook.html", _context(request, webhook, secret_form=form), status=422)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def switch(request: HttpRequest, source_id: int, webhook_id: int) -> HttpResponse:
    webhook = _visible(request, source_id, webhook_id)
    is_active = request.POST.get("turn") == "on"
    endpoints.switch(webhook=webhook, is_active=is_active, by=reader(request))
    messages.success(
        request, _("The webhook is on.") if is_active else _("The webhook is off. Its address is not found.")
    )
    return redirect("ingestion:webhook", webhook.source_id, webhook.pk)


def _visible(request: HttpRequest, source_id: int, webhook_id: int) -> Webhook:
    source: Source = company_source(request, source_id)
    webhook: Webhook = get_object_or_404(endpoints.of_source(source).select_related("source"), pk=webhook_id)
    return webhook


def _context(request: HttpRequest, webhook: Webhook, **more: Any) -> dict[str, Any]:
    """What one webhook's page needs."""
    return {
        "source": webhook.source,
        "webhook": webhook,
        "address": request.build_absolute_uri(webhook.path),
        "host": request.build_absolute_uri("/").rstrip("/"),
        "form": FORMS[webhook.kind](source=webhook.source, initial=webhook.settings),
        "secret_form": SecretForm(kind=webhook.kind),
        "topics": shopify.TOPICS if webhook.kind == Webhook.Kind.SHOPIFY else (),
        "relay_problem": relay_problem(webhook.relay_problem),
    } | more
