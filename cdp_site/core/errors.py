"""The one tree of errors. A `MendableError` is for the person who can mend it; anything else is our fault."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.functional import Promise

Text = str | Promise


class MendableError(Exception):
    """Something the caller can mend: says what, where (`field`) and how (`hint`).

    `status` is the HTTP status of an API answer; `code` a stable word for programs.
    """

    status = 400
    code = "invalid"
    headers: Mapping[str, str] = MappingProxyType({})  # of the answer, for programs

    def __init__(
        self, message: Text, *, field: str | None = None, hint: Text | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        if code is not None:
            self.code = code

    def as_dict(self) -> dict[str, object]:
        """The one shape of an API error, also of a problem shown in a form."""
        return {
            "code": self.code,
            "message": str(self.message),
            "field": self.field,
            "hint": None if self.hint is None else str(self.hint),
        }


class AuthenticationProblem(MendableError):
    status = 401
    code = "unauthenticated"


class ForbiddenProblem(MendableError):
    """Who asks is known, and what they came with is not for this."""

    status = 403
    code = "forbidden"


class NotFoundProblem(MendableError):
    """Also the answer to an outsider: never a hint that the thing exists."""

    status = 404
    code = "not_found"


class ConflictProblem(MendableError):
    """The thing changed meanwhile, or its state does not allow this."""

    status = 409
    code = "conflict"


class MovedProblem(MendableError):
    """The thing is to be found under another address now; who only reads is led there."""

    status = 302
    code = "moved"

    def __init__(self, message: Text, *, address: str) -> None:
        super().__init__(message)
        self.address = address
        self.headers = {"Location": address}


class TooLargeProblem(MendableError):
    status = 413
    code = "too_large"


class UnavailableProblem(MendableError):
    """We cannot take it now; nothing was kept, so sending it again later is right."""

    status = 503
    code = "unavailable"


class InternalError(Exception):
    """Our own invariant is broken: logged, answered with 500, never shown with detail."""
