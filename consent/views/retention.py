"""How long what profiles hold is kept: the rules, and what each would remove."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.login.fresh import fresh_login
from consent.models import KeepingRule
from consent.retention import rules, running
from consent.retention.forms import RuleForm
from profiles.views.fetch import reader


@requires(Permission.VIEW_REQUESTS)
@require_GET
def browse(request: HttpRequest) -> HttpResponse:
    """Every rule, and the form of a further one."""
    return _show(request, RuleForm())


@requires(Permission.VIEW_REQUESTS, Permission.APPROVE_REQUESTS)
@fresh_login
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    rules.save(**form.cleaned_data, by=reader(request))
    messages.success(request, _("Saved. What is past its days goes with the next runs."))
    return redirect("consent:retention")


@requires(Permission.VIEW_REQUESTS)
@require_POST
def try_out(request: HttpRequest) -> HttpResponse:
    """How much the rule in the form would remove; nothing is changed."""
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    rule = KeepingRule(**form.cleaned_data)
    return _show(request, form, tried=(rule, running.count_due(rule)))


@requires(Permission.VIEW_REQUESTS, Permission.APPROVE_REQUESTS)
@require_POST
def remove(request: HttpRequest, rule_id: int) -> HttpResponse:
    rules.remove(rule=get_object_or_404(KeepingRule, pk=rule_id), by=reader(request))
    messages.success(request, _("The rule is gone. Nothing goes by it any more."))
    return redirect("consent:retention")


def _show(
    request: HttpRequest, form: RuleForm, *, status: int = 200, tried: tuple[KeepingRule, int] | None = None
) -> HttpResponse:
    context = {"rules": rules.all_rules(), "form": form, "tried": tried}
    return render(request, "consent/retention.html", context, status=status)
