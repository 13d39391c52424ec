"""One shape for every API error: `{"error": {"code", "message", "field", "hint"}}`."""

from django.http import HttpRequest, JsonResponse

from cdp_site.core.errors import MendableError


def error_response(problem: MendableError) -> JsonResponse:
    return JsonResponse({"error": problem.as_dict()}, status=problem.status, headers=problem.headers)


def wants_json(request: HttpRequest) -> bool:
    """True for the machine interfaces, whose errors are JSON and never a page."""
    return request.path.startswith(("/v1/", "/api/"))
