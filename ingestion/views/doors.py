"""The doors of a source: which web pages may send to it, and how much."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cdp_site.core.access import Permission, requires
from ingestion import sources
from ingestion.door_form import DoorForm
from ingestion.views.fetch import company_source, reader


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, source_id: int) -> HttpResponse:
    source = company_source(request, source_id)
    initial = {
        "allowed_origins": "\n".join(source.allowed_origins),
        "rate_per_second": source.rate_per_second,
    }
    form = DoorForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        if sources.set_doors(source=source, **form.cleaned_data, by=reader(request)):
            messages.success(request, _("Saved. Web servers follow within five seconds."))
        return redirect("ingestion:source", source.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "ingestion/source_doors.html", {"form": form, "source": source}, status=status)
