"""The certificate of an erasure: its page, and its files."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires
from consent.certificate import files, public_key
from consent.models import DataSubjectRequest
from consent.views.fetch import attachment
from consent.wording import GROUNDS, STORES, TABLES

LANGUAGES = ("th", "en")


@requires(Permission.VIEW_REQUESTS)
@require_GET
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """What the certificate says, that it verifies, and its files."""
    asked = _certified(request, request_id)
    document = asked.certificate or {}
    context = {
        "asked": asked,
        "document": document,
        "is_valid": files.check(files.as_json(document)).ok,
        "public_key": public_key(),
        "done": [
            (STORES.get(store["store"], store["store"]), TABLES.get(table, table), verb, rows)
            for store in document["stores"]
            for verb in ("erased", "anonymised")
            for table, rows in sorted(store[verb].items())
        ],
        "kept": [
            (TABLES.get(line["table"], line["table"]), line["rows"], GROUNDS[line["ground"]].text, line["law"])
            for store in document["stores"]
            for line in store["kept"]
        ],
    }
    return render(request, "consent/certificate.html", context)


@requires(Permission.VIEW_REQUESTS)
@require_GET
def download(request: HttpRequest, request_id: UUID) -> HttpResponseBase:
    """The signed certificate as JSON. Only a completed erasure has one."""
    asked = _certified(request, request_id)
    return attachment([files.as_json(asked.certificate or {})], "application/json", f"erasure-{asked.reference}.json")


@requires(Permission.VIEW_REQUESTS)
@require_GET
def paper(request: HttpRequest, request_id: UUID, language: str) -> HttpResponseBase:
    """The same as a signed PDF, in Thai or English."""
    asked = _certified(request, request_id)
    if language not in LANGUAGES:
        raise Http404
    name = f"erasure-{asked.reference}-{language}.pdf"
    return attachment([files.as_pdf(asked.certificate or {}, language)], "application/pdf", name)


@requires(Permission.VIEW_REQUESTS)
@require_GET
def key(request: HttpRequest) -> HttpResponseBase:
    """The company's public key, by which anybody verifies its certificates."""
    return attachment([f"{public_key()}\n".encode()], "text/plain", "certificate-key.txt")


def _certified(request: HttpRequest, request_id: UUID) -> DataSubjectRequest:
    """Raises Http404 for a request that has no certificate."""
    visible = DataSubjectRequest.objects.visible_to(request.user).filter(certificate__isnull=False)
    asked: DataSubjectRequest = get_object_or_404(visible, pk=request_id)
    return asked
