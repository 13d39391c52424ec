"""Django REST framework under the house's rules: errors in the one shape. (Who may call: `rest_access`.)"""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from cdp_site.core.collisions import as_conflict
from cdp_site.core.errors import MendableError, TooLargeProblem


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exceptions in our shape; what has moved is a redirect."""
    if isinstance(error, exceptions.ValidationError):
        error = _invalid(error)
    elif isinstance(error, RequestDataTooBig):
        error = TooLargeProblem(f"A request holds at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KB.")
    problem = error if isinstance(error, MendableError) else as_conflict(error)
    if problem is not None:
        return Response({"error": problem.as_dict()}, status=problem.status, headers=problem.headers)
    response = drf_handler(error, context)
    if response is None:
        return None
    code = error.default_code if isinstance(error, exceptions.APIException) else "invalid"
    detail = response.data
    message = str(detail.get("detail", detail)) if isinstance(detail, dict) else str(detail)
    response.data = {"error": {"code": code, "message": message, "field": None, "hint": None}}
    return response


def _invalid(error: exceptions.ValidationError) -> MendableError:
    """The first thing that a serializer found, with its field."""
    detail: Any = error.detail
    path = []
    while isinstance(detail, (dict, list)):
        key = next(iter(detail)) if isinstance(detail, dict) else 0
        if isinstance(detail, dict) and key != "non_field_errors":
            path.append(str(key))
        detail = detail[key]
    return MendableError(str(detail), field=".".join(path) or None)
