"""Shapes of JSON in the OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

Fields = dict[str, "serializers.Field[Any, Any, Any, Any]"]

_shapes: dict[str, "type[serializers.Serializer[Any]]"] = {}


def shape(
    name: str, fields: Mapping[str, "serializers.Field[Any, Any, Any, Any]"], **more: Any
) -> "serializers.Serializer[Any]":
    """An object of these fields, one type a name. REST framework takes the fields out of the dictionary that it is
    given: here out of a copy, since several objects have some in common."""
    if name not in _shapes:
        _shapes[name] = type(inline_serializer(name, dict(fields)))
    return _shapes[name](**more)


# The one shape of an error (`core.errors.MendableError.as_dict`).
PROBLEM_DETAIL = shape(
    "ProblemDetail",
    {
        "code": serializers.CharField(),
        "message": serializers.CharField(),
        "field": serializers.CharField(allow_null=True),
        "hint": serializers.CharField(allow_null=True),
    },
)
PROBLEM = shape("Problem", {"error": PROBLEM_DETAIL})
