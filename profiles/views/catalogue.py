"""The catalogue: products, and the words for what they are."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment
from profiles import catalogue, product_list
from profiles.forms import TermForm
from profiles.models import Term
from profiles.views.fetch import reader


@requires(Permission.VIEW_CATALOGUE)
@require_GET
def list_products(request: HttpRequest) -> HttpResponse:
    """Products by number, narrowed by a text and a category."""
    filters = product_list.Filters.read(request.GET)
    page = product_list.page(by=reader(request), filters=filters)
    context = {"page": page, "filters": filters}
    return render_page_or_fragment(request, "profiles/products.html", "profiles/_products.html", context)


@requires(Permission.VIEW_CATALOGUE)
@require_GET
def list_words(request: HttpRequest) -> HttpResponse:
    """What means the same, and the words that nobody has explained yet."""
    terms = Term.objects.prefetch_related("synonyms")
    return render(request, "profiles/words.html", {"terms": terms, "unknown": catalogue.unknown_words()})


@requires(Permission.MANAGE_CATALOGUE)
@require_http_methods(["GET", "POST"])
def new_word(request: HttpRequest) -> HttpResponse:
    """A term out of nothing, or out of a word that was found (`attribute` and `text` in the address)."""
    given = {"attribute": request.GET.get("attribute", "color"), "label": request.GET.get("text", "")}
    return _edit(request, None, given)


@requires(Permission.MANAGE_CATALOGUE)
@require_http_methods(["GET", "POST"])
def edit_word(request: HttpRequest, term_id: int) -> HttpResponse:
    term = _term(term_id)
    own = {term.label, term.label_th}
    others = [synonym.text for synonym in term.synonyms.all() if synonym.text not in own]
    given = {
        "attribute": term.attribute,
        "label": term.label,
        "label_th": term.label_th,
        "spellings": "\n".join(others),
    }
    return _edit(request, term, given)


def _edit(request: HttpRequest, term: Term | None, given: dict[str, Any]) -> HttpResponse:
    form = TermForm(request.POST or None, initial=given)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                catalogue.save_term(term=term, by=reader(request), **form.cleaned_data)
            except MendableError as problem:
                form.add_error(problem.field, f"{problem.message} {problem.hint or ''}".strip())
            else:
                messages.success(request, _("Saved."))
                return redirect("profiles:words")
        status = 422
    return render(request, "profiles/word.html", {"form": form, "term": term}, status=status)


@requires(Permission.MANAGE_CATALOGUE)
@require_POST
def remove_word(request: HttpRequest, term_id: int) -> HttpResponse:
    catalogue.remove_term(term=_term(term_id), by=reader(request))
    messages.success(request, _("Removed: its words mean only themselves now."))
    return redirect("profiles:words")


def _term(term_id: int) -> Term:
    term = catalogue.find_term(term_id)
    if term is None:
        raise Http404
    return term
