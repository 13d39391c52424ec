"""What is watched at a source and how long what it sends raw is kept, and the company's numbers for the latter."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from ingestion.health import retention, rules
from ingestion.health.forms import RetentionForm, WatchRuleForm
from ingestion.models import Source
from ingestion.views.fetch import company_source, reader, visible_source


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def watch(request: HttpRequest, source_id: int) -> HttpResponse:
    """What is watched at a source."""
    source = company_source(request, source_id)
    form = WatchRuleForm(request.POST or None, instance=rules.of_source(source))
    if request.method == "POST" and form.is_valid():
        if rules.change(source=source, values=form.cleaned_data, by=reader(request)):
            messages.success(request, _("Saved."))
        return redirect("ingestion:source", source.pk)
    context = {"source": source, "form": form}
    return render(request, "ingestion/source_watch.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def keep(request: HttpRequest, source_id: int) -> HttpResponse:
    """How long what a source sent raw is kept."""
    source = visible_source(request, source_id)
    rule, company = retention.rule_of(source), retention.company_days()
    initial = {name: getattr(rule, name) for name in RetentionForm.base_fields}
    form = RetentionForm(request.POST or None, initial=initial, company=company)
    if request.method == "POST" and form.is_valid():
        if retention.change(source=source, days=form.cleaned_data, by=reader(request)):
            messages.success(request, _("Saved."))
        return redirect("ingestion:source", source.pk)
    context = {"source": source, "form": form, "figures": retention.due(source, retention.days_of(source))}
    return render(request, "ingestion/source_retention.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def keep_of_company(request: HttpRequest) -> HttpResponse:
    """The numbers that hold for every source without its own."""
    days = retention.company_days()
    form = RetentionForm(
        request.POST or None, initial={name: getattr(days, name) for name in RetentionForm.base_fields}
    )
    if request.method == "POST" and form.is_valid():
        if retention.change(source=None, days=form.cleaned_data, by=reader(request)):
            messages.success(request, _("Saved."))
        return redirect("ingestion:retention")
    context = {"form": form, "figures": retention.due_of_company(days), "own": retention.sources_with_own_numbers()}
    return render(request, "ingestion/retention.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def try_out(request: HttpRequest, source_id: int | None = None) -> HttpResponse:
    """What the numbers in the form would remove, as a fragment; nothing is changed."""
    source: Source | None = None if source_id is None else visible_source(request, source_id)
    company = retention.company_days()
    form = RetentionForm(request.POST, company=company)
    if not form.is_valid():
        return render(request, "ingestion/_would_remove.html", {"figures": None}, status=422)
    days = retention.replaced(company, form.cleaned_data)
    figures = retention.due(source, days) if source else retention.due_of_company(days)
    return render(request, "ingestion/_would_remove.html", {"figures": figures})
