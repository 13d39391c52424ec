"""Django REST framework under the house's rules: errors in the one shape. (Who may call: `rest_access`.)"""

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_handler

from cdp_site.core.collisions import as_conflict
from cdp_site.core.errors import MendableError


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exceptions in our shape."""
    problem = error if isinstance(error, MendableError) else as_conflict(error)
    if problem is not None:
        return Response({"error": problem.as_dict()}, status=problem.status)
    response = drf_handler(error, context)
    if response is None:
        return None
    code = error.default_code if isinstance(error, exceptions.APIException) else "invalid"
    detail = response.data
    message = str(detail.get("detail", detail)) if isinstance(detail, dict) else str(detail)
    response.data = {"error": {"code": code, "message": message, "field": None, "hint": None}}
    return response
