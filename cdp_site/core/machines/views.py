"""Keys for programs: the list, and making, rotating and revoking them. A new key is shown this once."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, may, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.login.fresh import fresh_login
from cdp_site.core.machines import keys
from cdp_site.core.machines.forms import MachineKeyForm
from cdp_site.core.models import MachineKey, User


@requires(Permission.VIEW_ACCESS)
@require_GET
def list_keys(request: HttpRequest) -> HttpResponse:
    """All of them, also those that have ended: the record of who could read when."""
    now = timezone.now()
    shown = [(key, keys.state_of(key, now)) for key in MachineKey.objects.newest_first()]
    context = {
        "shown": shown,
        "may_change": may(request.user, Permission.MANAGE_ACCESS),
        "host": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "core/machine_keys.html", context)


@requires(Permission.VIEW_ACCESS, Permission.MANAGE_ACCESS)
@fresh_login
@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_variables("text")
def make(request: HttpRequest) -> HttpResponse:
    """The form; POST answers with the new key, which cannot be had again."""
    form = MachineKeyForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _form(request, form)
    try:
        row, text = keys.make(**form.cleaned_data, by=_person(request))
    except MendableError as problem:
        form.add_error(problem.field, str(problem.message))
        return _form(request, form)
    return _made(request, row, text)


@requires(Permission.VIEW_ACCESS, Permission.MANAGE_ACCESS)
@fresh_login
@never_cache
@require_POST
@sensitive_variables("text")
def rotate(request: HttpRequest, key_id: int) -> HttpResponse:
    """A new secret for the same program; the former is taken for another day."""
    row, text = keys.rotate(key=_key(key_id), by=_person(request))
    return _made(request, row, text)


@requires(Permission.VIEW_ACCESS, Permission.MANAGE_ACCESS)
@require_POST
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """At once; asked for in a dialog."""
    keys.revoke(key=_key(key_id), by=_person(request))
    messages.success(request, _("The key is revoked. Programs that still use it are refused from now on."))
    return redirect("machine_keys")


def _form(request: HttpRequest, form: MachineKeyForm) -> HttpResponse:
    return render(request, "core/machine_key_new.html", {"form": form}, status=422 if form.is_bound else 200)


def _made(request: HttpRequest, row: MachineKey, text: str) -> HttpResponse:
    context: dict[str, Any] = {"key": row, "new_key": text, "host": request.build_absolute_uri("/").rstrip("/")}
    return render(request, "core/machine_key_made.html", context)


def _key(key_id: int) -> MachineKey:
    found = MachineKey.objects.in_bulk([key_id]).get(key_id)
    if found is None:
        raise Http404
    return found


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)
