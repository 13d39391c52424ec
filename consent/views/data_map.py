"""The data map: which data is kept for what, on which ground and how long."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from cdp_site.core.access import Permission, requires
from consent.data_map import document, drift, files
from consent.data_map.activities import MEASURES, RIGHTS, WHOSE
from consent.views.fetch import attachment


@requires(Permission.VIEW_AUDIT)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Activities with their tables, and the fields of the table that was asked for."""
    found = document.build()
    wanted = request.GET.get("table", "")
    context = {
        "map": found,
        "drift": drift.compare(found),
        "chosen": next((table for table in found.tables if table.label == wanted), None),
        "whose": WHOSE,
        "rights": RIGHTS,
        "measures": MEASURES,
    }
    return render(request, "consent/data_map.html", context)


@requires(Permission.VIEW_AUDIT)
@require_GET
def download(request: HttpRequest) -> HttpResponseBase:
    """The record of processing as a file: `form` is csv, json or pdf."""
    found, form = document.build(), request.GET.get("form", "")
    name = f"record-of-processing-{timezone.localdate():%Y%m%d}"
    match form:
        case "csv":
            return attachment([files.as_csv(found)], "text/csv; charset=utf-8", f"{name}.csv")
        case "pdf":
            return attachment([files.as_pdf(found)], "application/pdf", f"{name}.pdf")
        case "json":
            response = JsonResponse(document.as_data(found), json_dumps_params={"indent": 2, "ensure_ascii": False})
            response["Content-Disposition"] = f'attachment; filename="{name}.json"'
            return response
        case _:
            return redirect("consent:data_map")
