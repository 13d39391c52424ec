"""Pages of the whole product: home, login, language, theme, health, errors."""

from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from cdp_site.core.access import public, requires

login = public(login_not_required(auth_views.LoginView.as_view(template_name="core/login.html")))
logout = public(auth_views.LogoutView.as_view())


@requires()
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "core/home.html")


@public
def set_language(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


@public
def set_theme(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


@public
def healthz(request: HttpRequest) -> JsonResponse:
    connection.ensure_connection()
    return JsonResponse({"database": True})


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "core/404.html", status=404)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "core/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "core/500.html", status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "core/403.html", status=403)
