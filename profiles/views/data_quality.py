"""The page of data quality: what the last look has found, and whom each number is about."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.htmx import render_page_or_fragment
from ingestion.models import Source
from profiles.labels import identifier_kind
from profiles.matching import cases, quality, quality_words
from profiles.models import QualityFinding
from profiles.views.fetch import reader


@requires(Permission.MERGE_PROFILES)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The numbers, what became of them since the look before, and what to do."""
    looks = quality.latest()
    context = {
        "running": quality.running(),
        "look": looks[0][0] if looks else None,
        "report": quality_words.report(looks, by=reader(request)) if looks else None,
    }
    return render_page_or_fragment(request, "profiles/data_quality.html", "profiles/_data_quality.html", context)


@requires(Permission.MERGE_PROFILES)
@require_POST
def look_again(request: HttpRequest) -> HttpResponse:
    """Begin a look; while one is under way, that one is waited for."""
    try:
        quality.start(by=reader(request))
    except ConflictProblem as problem:
        messages.info(request, str(problem.message))
    else:
        messages.success(
            request, _("The data is being looked at. This page shows the new numbers when they are there.")
        )
    return redirect("profiles:data_quality")


@requires(Permission.MERGE_PROFILES, Permission.VIEW_CUSTOMERS)
@require_GET
def list_cases(request: HttpRequest, kind: str) -> HttpResponse:
    """Whom a number is about; of a number that is counted by source or by kind of identifier, of that one."""
    looks = quality.latest()
    if kind not in QualityFinding.Kind.values or not looks:
        raise Http404
    user = reader(request)
    source = _source(request)
    key_kind = request.GET.get("of", "")
    after = request.GET.get("after", "")
    context = {
        "look": looks[0][0],
        "kind": kind,
        "words": quality_words.of_kind(kind),
        "source": source,
        "of": key_kind,
        "of_text": identifier_kind(key_kind) if key_kind else "",
        "page": cases.of_kind(
            looks[0][0], kind, by=user, source=source, key_kind=key_kind, after=int(after) if after.isdecimal() else 0
        ),
        "is_first": not after,
        "most": quality.MOST,
    }
    return render(request, "profiles/data_quality_cases.html", context)


@requires(Permission.MERGE_PROFILES, Permission.VIEW_CUSTOMERS)
@require_GET
def show_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """The people who state an identifier."""
    user = reader(request)
    key = cases.find_key(key_id, by=user)
    if key is None:
        raise Http404
    return render(request, "profiles/data_quality_key.html", {"key": key, "rows": cases.holders(key_id, by=user)})


def _source(request: HttpRequest) -> Source | None:
    text = request.GET.get("source", "")
    if not text.isdecimal():
        return None
    found: Source = get_object_or_404(Source.objects.visible_to(request.user), pk=text)
    return found
