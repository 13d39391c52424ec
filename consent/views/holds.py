"""Legal holds: which rows are kept and why, holding a customer's row, releasing a hold, reading what it keeps."""

from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.login.fresh import fresh_login
from consent.erasure import holds
from consent.erasure.hold_forms import HoldForm
from consent.models import LegalHold
from consent.wording import GROUNDS, TABLES
from profiles.views.fetch import reader, visible_profile

LOOK = "profile.holds"  # in the access log
MOST_SHOWN = 500


@requires(Permission.VIEW_REQUESTS)
@require_GET
def browse(request: HttpRequest) -> HttpResponse:
    """Everything that is held, on what ground and until when; the newest first."""
    visible = LegalHold.objects.visible_to(request.user).in_force()
    people = visible.select_related("request", "placed_by")
    context = {"lines": [_line(hold) for hold in people[:MOST_SHOWN]], "n": visible.count(), "most": MOST_SHOWN}
    return render(request, "consent/holds.html", context)


@requires(Permission.MANAGE_REQUESTS, Permission.VIEW_CUSTOMERS)
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("reason")
def of_customer(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What is held of one customer, and a form to hold one row more."""
    profile = visible_profile(request, public_id, logged_as=LOOK)
    rows = holds.rows_of(profile)
    form = HoldForm(request.POST or None, rows=rows)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        last = given["until"]
        # The whole of that day in the company's time zone.
        until = timezone.make_aware(datetime.combine(last + timedelta(days=1), time.min)) if last else None
        try:
            holds.place(
                profile=profile,
                key=given["row"],
                ground=given["ground"],
                reason=given["reason"],
                until=until,
                by=reader(request),
            )
        except MendableError as problem:
            form.add_error(problem.field or None, str(problem.message))
        else:
            messages.success(request, _("Held. An erasure keeps this row, and nobody uses it for anything else."))
            return redirect("consent:customer_holds", profile.public_id)
    held = LegalHold.objects.in_force().about(holds.births_of(profile)).select_related("placed_by")
    context = {"profile": profile, "form": form, "has_rows": bool(rows), "lines": [_line(hold) for hold in held]}
    return render(request, "consent/customer_holds.html", context, status=422 if form.errors else 200)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@fresh_login
@require_POST
def release(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """End a hold: of an erased person the row goes for good."""
    hold = get_object_or_404(LegalHold.objects.visible_to(request.user), pk=hold_id)
    holds.release(hold_id=hold.pk, by=reader(request))
    messages.success(request, _("Released. Of a customer who was erased the row is gone now."))
    return redirect("consent:holds")


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@fresh_login
@require_POST
def copy(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """What a hold keeps of an erased customer, as a file; each look is in the audit."""
    hold = get_object_or_404(LegalHold.objects.visible_to(request.user).in_force(), pk=hold_id)
    try:
        kept = holds.read_copy(hold, by=reader(request))
    except MendableError as problem:
        messages.error(request, str(problem.message))
        return redirect("consent:holds")
    response = JsonResponse(kept, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="hold-{hold.pk.hex[-8:]}.json"'
    return response


def _line(hold: LegalHold) -> dict[str, object]:
    return {"hold": hold, "table": TABLES.get(hold.label, hold.label), "law": GROUNDS[hold.ground].law}
