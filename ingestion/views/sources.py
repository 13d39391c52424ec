"""Sources: the list with what became of all they sent, one source's page, and the forms for both."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from cdp_site.core.access import Permission, may, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import accounts, sources
from ingestion.forms import NewSourceForm, SourceForm
from ingestion.health import alerts, lag, rates, standing, troubles
from ingestion.models import FileImport, InboundBatch, Source
from ingestion.views.fetch import company_source, reader, visible_source
from ingestion.views.keys import keys_context

RECENT_BATCHES = 10
RECENT_IMPORTS = 5


@requires(Permission.VIEW_SOURCES)
@require_GET
def list_sources(request: HttpRequest) -> HttpResponse:
    rows = accounts.rows(by=reader(request))
    context = {
        "rows": rows,
        "total": accounts.total(row.equation for row in rows),
        "refused": troubles.refused(None) if may(request.user, Permission.MANAGE_SOURCES) else [],
    }
    return render(request, "ingestion/sources.html", context)


@requires(Permission.VIEW_SOURCES)
@require_GET
def show(request: HttpRequest, source_id: int) -> HttpResponse:
    """A source's page; htmx asks for its account over another period."""
    source = visible_source(request, source_id)
    context = {
        "source": source,
        "account": accounts.of_source(source, accounts.Period.read(request.GET.get("period", ""))),
        "periods": list(accounts.Period),
        **_rates(source, rates.Span.DAY),
        "lags": lag.in_words(source),
        "troubles": troubles.of_source(source),
        "standing": standing.of_source(source),
        "alerts": alerts.open_for(reader(request)).of_source(source),
        "batches": InboundBatch.objects.of_source(source).without_messages().newest_first()[:RECENT_BATCHES],
        "imports": FileImport.objects.of_source(source).newest_first()[:RECENT_IMPORTS],
        "names_files": may(request.user, Permission.SEE_IDENTIFIERS),
    }
    if may(request.user, Permission.MANAGE_SOURCES) and source.kind != Source.Kind.INTERNAL:
        context |= keys_context(request, source)
    return render_page_or_fragment(request, "ingestion/source.html", "ingestion/_account.html", context)


@requires(Permission.VIEW_SOURCES)
@require_GET
def show_rates(request: HttpRequest, source_id: int) -> HttpResponse:
    """The chart over another span, as a fragment; without htmx a page of its own."""
    source = visible_source(request, source_id)
    context = {"source": source, **_rates(source, rates.Span.read(request.GET.get("span", "")))}
    return render_page_or_fragment(request, "ingestion/source_rates.html", "ingestion/_rates.html", context)


def _rates(source: Source, span: rates.Span) -> dict[str, Any]:
    return {"chart": rates.chart(source, span), "spans": list(rates.Span)}


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    form = NewSourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            source = sources.create(**form.cleaned_data, by=reader(request))
        except MendableError as problem:  # somebody else took the short name since the form looked
            form.add_error(problem.field, str(problem.message))
        else:
            messages.success(request, _("The source is there. Make a key for the system that will send."))
            return redirect("ingestion:source", source.pk)
    return _form_page(request, "ingestion/source_new.html", {"form": form})


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, source_id: int) -> HttpResponse:
    source = company_source(request, source_id)
    initial = {name: getattr(source, name) for name in SourceForm.base_fields}
    form = SourceForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if sources.edit(source=source, **form.cleaned_data, by=reader(request)):
            messages.success(request, _("Saved."))
        return redirect("ingestion:source", source.pk)
    return _form_page(request, "ingestion/source_edit.html", {"form": form, "source": source})


def _form_page(request: HttpRequest, page: str, context: dict[str, forms.Form | Source]) -> HttpResponse:
    return render(request, page, context, status=422 if request.method == "POST" else 200)
