"""Pins: a person decides which record's value of a trait wins, on the 360 page."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cdp_site.core.access import Permission, requires
from profiles import overview, pins, viewing
from profiles.forms import PinForm
from profiles.views.fetch import reader, visible_profile


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def pin(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let the value of one record win."""
    user, profile, form = reader(request), visible_profile(request, public_id, logged_as=viewing.OPENED), _form(request)
    record = overview.source_of_value(
        profile, record_id=form.cleaned_data["record"], trait=form.cleaned_data["trait"], by=user
    )
    if record is None:
        raise Http404
    pins.add(profile=profile, record=record, trait=form.cleaned_data["trait"], by=user, days=form.cleaned_data["days"])
    messages.success(request, _("This value is used from now on."))
    return redirect("profiles:customer", public_id)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def unpin(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Let the rules decide again; asked for with the record that was pinned, so that nobody unpins unseen."""
    user, profile, form = reader(request), visible_profile(request, public_id, logged_as=viewing.OPENED), _form(request)
    trait = form.cleaned_data["trait"]
    if overview.source_of_value(profile, record_id=form.cleaned_data["record"], trait=trait, by=user) is None:
        raise Http404
    pins.remove(profile=profile, trait=trait, by=user)
    messages.success(request, _("The rules decide about this value again."))
    return redirect("profiles:customer", public_id)


def _form(request: HttpRequest) -> PinForm:
    """The form of a button: what is wrong with it, nobody typed."""
    form = PinForm(request.POST)
    if not form.is_valid():
        raise Http404
    return form
