"""What customers' data may be used for: how long a consent holds, whose counts, and the notices that people read."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from consent import notices
from consent.forms import NoticeForm, TermsForm
from consent.models import Notice, Purpose
from profiles.views.fetch import reader


@requires(Permission.VIEW_REQUESTS)
@require_GET
def list_purposes(request: HttpRequest) -> HttpResponse:
    """Every purpose with its terms and the notice in force."""
    in_force = notices.all_in_force()
    rows = [(purpose, in_force.get(purpose.pk)) for purpose in Purpose.objects.all()]
    return render(request, "consent/purposes.html", {"rows": rows})


@requires(Permission.VIEW_REQUESTS)
@require_GET
def show(request: HttpRequest, purpose: str) -> HttpResponse:
    """One purpose: its terms, a new notice, the versions that there were."""
    return _show(request, _purpose(purpose))


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def set_terms(request: HttpRequest, purpose: str) -> HttpResponse:
    of = _purpose(purpose)
    form = TermsForm(request.POST)
    if not form.is_valid():
        return _show(request, of, terms=form, status=422)
    notices.set_terms(purpose=of, by=reader(request), **form.cleaned_data)
    messages.success(request, _("Saved. It holds at once, for the consents that there are as well."))
    return redirect("consent:purpose", of.slug)


@requires(Permission.VIEW_REQUESTS, Permission.MANAGE_REQUESTS)
@require_POST
def publish(request: HttpRequest, purpose: str) -> HttpResponse:
    of = _purpose(purpose)
    form = NoticeForm(request.POST)
    if form.is_valid():
        try:
            notices.publish(purpose=of, by=reader(request), **form.cleaned_data)
        except MendableError as problem:
            form.add_error(problem.field, str(problem.message))
        else:
            messages.success(request, _("Published. From now on people read this version."))
            return redirect("consent:purpose", of.slug)
    return _show(request, of, notice=form, status=422)


def _purpose(slug: str) -> Purpose:
    return get_object_or_404(Purpose, slug=slug)


def _show(
    request: HttpRequest,
    purpose: Purpose,
    *,
    terms: TermsForm | None = None,
    notice: NoticeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    held = {"months": purpose.months, "young": purpose.young, "is_sharing": purpose.is_sharing}
    versions = list(purpose.notices.select_related("published_by"))
    context = {
        "purpose": purpose,
        "terms": terms or TermsForm(initial=held),
        "notice_form": notice or NoticeForm(initial=_last(versions)),
        "versions": versions,
    }
    return render(request, "consent/purpose.html", context, status=status)


def _last(versions: list[Notice]) -> dict[str, str]:
    """A new version begins with the text of the one in force."""
    return {"text": versions[0].text, "text_th": versions[0].text_th} if versions else {}
