"""Language, the request log and the one place that turns errors into answers."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation

from cdp_site.core.api_errors import error_response, wants_json
from cdp_site.core.collisions import as_conflict
from cdp_site.core.errors import MendableError, MovedProblem

GetResponse = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger("request")


class CookieLocaleMiddleware:
    """Language from the cookie that the toggle sets, else Thai: the company's language, not the browser's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.known = {code for code, _name in settings.LANGUAGES}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wanted = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE)
        language = wanted if wanted in self.known else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class RequestLogMiddleware:
    """One line per request: route, status, milliseconds, user id. Never the path's values, query or body."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        if match is None or match.url_name != "healthz":
            log.info(
                "request",
                method=request.method,
                route=match.view_name if match else None,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
                user=getattr(getattr(request, "user", None), "pk", None),
            )
        return response


class ErrorTreeMiddleware:
    """A MendableError that a view let through becomes an answer: JSON for machines, a page or fragment for people. So
    does the end that the database made of two transactions that waited for each other."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, MovedProblem):
            return redirect(error.address)
        problem = error if isinstance(error, MendableError) else as_conflict(error)
        if problem is None:
            return None
        if wants_json(request):
            return error_response(problem)
        template = "core/_problem.html" if getattr(request, "htmx", False) else "core/problem.html"
        return render(request, template, {"problem": problem}, status=problem.status)
