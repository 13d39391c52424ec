"""A forgotten password: a link by mail, good once and for an hour, behind which a new one is chosen. Second factors are
asked for as ever."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cdp_site.core import audit
from cdp_site.core.access import public
from cdp_site.core.login import devices, mails, notes
from cdp_site.core.login.forms import ForgottenForm, NewPasswordForm
from cdp_site.core.login.mails import News
from cdp_site.core.models import User


def is_offered() -> bool:
    """A mail can lead back only when the platform knows its own address."""
    return bool(settings.PUBLIC_URL)


@public
@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """The same answer, at the same cost, whether there is such an account or not."""
    if not is_offered():
        raise Http404
    form = ForgottenForm(request, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        too_many = form.has_error("__all__", "too_many")
        status = 429 if too_many else 422 if form.is_bound else 200
        return render(request, "core/forgotten.html", {"form": form}, status=status)
    notes.forgotten(form.cleaned_data["username"])
    return render(request, "core/forgotten.html", {"is_asked": True, "minutes": settings.PASSWORD_RESET_TIMEOUT // 60})


class NewPassword(PasswordResetConfirmView):
    """Django's page behind the link, which keeps the token out of the address while one types."""

    form_class = NewPasswordForm
    template_name = "core/new_password.html"
    success_url = reverse_lazy("login")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        user: User = form.save()  # a trigger ends the user's sessions
        audit.record(action="user.change", target=user, by=user, fields=["password"])
        devices.forget_others(self.request, user)
        mails.tell(user, News.PASSWORD)
        self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN, None)
        messages.success(self.request, _("Your password is changed. Log in with the new one."))
        return HttpResponseRedirect(str(self.success_url))
