"""Many pairs at once: choose how sure, look at a sample and what would change, confirm; and take it back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from cdp_site.core.access import scope_of
from cdp_site.core.errors import MendableError
from profiles import viewing
from profiles.forms import ManyForm
from profiles.matching import many, presenting, review
from profiles.views.fetch import reader
from profiles.views.review import stewards


@stewards
@require_http_methods(["GET", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """What would be merged from this probability on; by POST it is done."""
    user = reader(request)
    form = ManyForm(request.POST if request.method == "POST" else request.GET or None)
    if request.method == "POST" and form.is_valid() and form.cleaned_data["upto"] is not None:
        operation = many.merge_all(least=form.least, upto=form.cleaned_data["upto"], by=user)
        undo = reverse("profiles:review_undo_many", args=[operation.pk])
        messages.success(request, _("Merged. All of it can be taken back together."), extra_tags=undo)
        return redirect("profiles:review")
    context: dict[str, object] = {"form": form, "at_once": many.AT_ONCE}
    if form.is_bound and form.is_valid():
        try:
            portion = many.choose(least=form.least, by=user)
        except MendableError as problem:
            form.add_error("percent", str(problem.message))
        else:
            preview = many.foresee(portion)
            sides = presenting.side_by_side(
                ((pair.record_a_id, pair.record_b_id) for pair in portion.sample), scope=scope_of(user)
            )
            viewing.log(review.customers_of(portion.sample), by=user, what=viewing.COMPARED)
            context |= {
                "portion": portion,
                "sample": [(pair, sides[pair.record_a_id, pair.record_b_id]) for pair in portion.sample],
                "preview": preview,
            }
    return render(request, "profiles/review_many.html", context, status=422 if form.errors else 200)


@stewards
@require_POST
def take_back(request: HttpRequest, operation_id: UUID) -> HttpResponse:
    """Undo all that was decided at once: the button of the message and of the list."""
    n = many.take_back(operation_id=operation_id, by=reader(request))
    messages.success(request, ngettext("Taken back: %(n)d pair.", "Taken back: %(n)d pairs.", n) % {"n": n})
    return redirect("profiles:review")
