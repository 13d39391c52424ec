"""How the records became one customer; and the steward's mark that this is right."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires, scope_of
from profiles import explaining, overview, relatives, viewing
from profiles.forms import VerifyForm
from profiles.matching import verified
from profiles.models import Profile
from profiles.views.fetch import reader, visible_profile


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Step by step: what joined, what holds, what was refused, what was decided."""
    profile = visible_profile(request, public_id, logged_as=viewing.EXPLAINED)
    return _page(request, profile, VerifyForm())


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@require_POST
def verify(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Say that the customer is made of the right records: the model changes it no more."""
    profile = visible_profile(request, public_id, logged_as=viewing.EXPLAINED)
    form = VerifyForm(request.POST)
    if not form.is_valid():
        return _page(request, profile, form, status=422)
    verified.verify(profile=profile, by=reader(request), reason=form.cleaned_data["reason"])
    messages.success(request, _("Verified: the model changes this customer no more."))
    return redirect("profiles:explanation", public_id)


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@require_POST
def take_back(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let the model speak again."""
    profile = visible_profile(request, public_id, logged_as=viewing.EXPLAINED)
    left = verified.take_back(profile=profile, by=reader(request))
    text = _("No longer verified: the model may change this customer again.")
    if len(left) > 1:
        text = _("No longer verified: the model had changed its mind, so that these are %(n)d customers now.")
    messages.success(request, text % {"n": len(left)})
    return redirect("profiles:explanation", left[0].public_id)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def show_household(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Panel: who is related to the customer."""
    profile = visible_profile(request, public_id, logged_as=viewing.HOUSEHOLD)
    return render(request, "profiles/_household.html", {"relatives": relatives.household(profile, by=reader(request))})


def _page(request: HttpRequest, profile: Profile, form: VerifyForm, *, status: int = 200) -> HttpResponse:
    user = reader(request)
    records = overview.records_of([profile], scope_of(user))[profile.pk]
    context = {
        "profile": profile,
        "explanation": explaining.explain(profile, by=user),
        "verification": verified.of_records(records),
        "form": form,
    }
    return render(request, "profiles/explanation.html", context, status=status)
