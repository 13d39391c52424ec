"""The one tree of errors and its shape at the outside."""

import json

import pytest
from django.utils.translation import gettext_lazy, override

from cdp_site.core import errors
from cdp_site.core.api_errors import error_response


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (errors.MendableError("no"), 400, "invalid"),
        (errors.AuthenticationProblem("no"), 401, "unauthenticated"),
        (errors.NotFoundProblem("no"), 404, "not_found"),
        (errors.ConflictProblem("no"), 409, "conflict"),
        (errors.TooLargeProblem("no"), 413, "too_large"),
        (errors.UnavailableProblem("no"), 503, "unavailable"),
    ],
)
def test_each_has_its_status_and_a_stable_code(problem: errors.MendableError, status: int, code: str) -> None:
    answer = error_response(problem)
    assert answer.status_code == status
    assert json.loads(answer.content) == {"error": {"code": code, "message": "no", "field": None, "hint": None}}


def test_field_hint_and_code_travel() -> None:
    problem = errors.MendableError("bad", field="batch[3].userId", hint="Send a string.", code="wrong_type")
    assert problem.as_dict() == {
        "code": "wrong_type",
        "message": "bad",
        "field": "batch[3].userId",
        "hint": "Send a string.",
    }
    assert str(problem) == "bad"


def test_texts_are_translated_when_they_are_shown() -> None:
    problem = errors.MendableError(gettext_lazy("Thai"))
    with override("en"):
        english = problem.as_dict()["message"]
    assert english == "Thai"


def test_our_own_faults_are_no_mendable_errors() -> None:
    assert not issubclass(errors.InternalError, errors.MendableError)
