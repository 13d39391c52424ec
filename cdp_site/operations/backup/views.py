"""The page "Backups": what there is, until when, whether one is missing; and the button that makes one."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core import jobs
from cdp_site.core.access import Permission, may, requires
from cdp_site.core.login.fresh import fresh_login
from cdp_site.core.models import User
from cdp_site.operations.backup import making, shelf
from consent.erasure import ledger_file


@requires(Permission.VIEW_AUDIT)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """All backups, the newest first."""
    backups = shelf.all_backups()
    context = {
        "backups": backups,
        "is_late": making.is_late(backups),
        "note": making.last_note(),
        "days": settings.BACKUP_DAYS,
        "is_daily": settings.BACKUP_DAILY,
        "ledger": _ledger(),
        "may_make": may(request.user, Permission.MANAGE_CONFIGURATION),
    }
    return render(request, "operations/backups.html", context)


def _ledger() -> int | None:
    """How many erasures the ledger knows; None when it was changed."""
    try:
        return len(ledger_file.read())
    except ledger_file.LedgerDamagedError:
        return None


@requires(Permission.VIEW_AUDIT, Permission.MANAGE_CONFIGURATION)
@fresh_login
@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Have one made by a job."""
    jobs.enqueue(making.JOB, cast("User", request.user).pk)
    messages.info(request, _("A backup is being made. It appears here when it has been written and read again."))
    return redirect("backups")
