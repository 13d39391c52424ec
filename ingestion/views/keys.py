"""Write keys of a source: the list with its form, a fragment of the source's page; a new key is shown this once."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from ingestion import keys
from ingestion.forms import WriteKeyForm
from ingestion.models import Source
from ingestion.views.fetch import company_source, reader


def keys_context(request: HttpRequest, source: Source) -> dict[str, Any]:
    """What the list of keys and the guide for senders need; one query."""
    return {
        "source": source,
        "form": WriteKeyForm(),
        "keys": keys.of_source(source),
        "host": request.build_absolute_uri("/").rstrip("/"),
    }


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
@sensitive_variables("key", "context")
def list_keys(request: HttpRequest, source_id: int) -> HttpResponse:
    """The keys; POST makes one more. It is in this one answer and cannot be had again."""
    source = company_source(request, source_id)
    context, status = keys_context(request, source), 200
    if request.method == "POST":
        form = WriteKeyForm(request.POST)
        if form.is_valid():
            is_public = form.cleaned_data["access"] == WriteKeyForm.PUBLIC
            _row, key = keys.make(source=source, by=reader(request), is_public=is_public)
            context |= {"new_key": key, "is_public": is_public}
        else:
            context |= {"form": form}
            status = 422
    return render_page_or_fragment(
        request, "ingestion/keys.html", "ingestion/_keys_and_guide.html", context, status=status
    )


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def revoke(request: HttpRequest, source_id: int, key_id: int) -> HttpResponse:
    source = company_source(request, source_id)
    key = next((key for key in keys.of_source(source) if key.pk == key_id), None)
    if key is None:
        raise Http404
    keys.revoke(key=key, by=reader(request))
    messages.success(request, _("The key is revoked. Systems that still use it are refused from now on."))
    return redirect("ingestion:source", source.pk)
