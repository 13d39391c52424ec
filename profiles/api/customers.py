"""Read customers, for programs and for people's scripts."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import ConflictProblem, NotFoundProblem
from cdp_site.core.machines.doors import open_to_keys
from cdp_site.core.machines.rest import described, for_programs, read
from cdp_site.core.machines.scopes import KeyScope
from profiles import explaining, identified, overview, viewing
from profiles.api import answers, customer
from profiles.identified import Asked
from profiles.matching import verified
from profiles.models import Profile
from profiles.views.fetch import reader, visible_profile

_INCLUDE = OpenApiParameter(
    "include", str, description=f"Only these parts, separated by commas: {', '.join(customer.names_of_parts())}."
)
_IDENTIFIER = OpenApiParameter(
    "identifier",
    str,
    OpenApiParameter.PATH,
    description="The public id, or the number that a system gave: `user:1001`, `user@web-shop:1001`, `device:…`, "
    "`order:…`.",
)
_REFUSALS: dict[int, Any] = {
    400: "The request cannot be used; says where.",
    409: OpenApiResponse(customer.SEVERAL, "Several customers hold the identifier; says which."),
}
_ABOUT_ADDRESSES = (
    "What names or reaches a person (e-mail, phone, member and LINE ids) stands in no address, since logs keep those: "
    "send it to `POST /api/v1/profiles/lookup`."
)


@open_to_keys(KeyScope.PROFILES_READ)
@requires(Permission.VIEW_CUSTOMERS)
@described(
    "A customer",
    customer.CUSTOMER,
    scope=KeyScope.PROFILES_READ,
    refusals=_REFUSALS,
    tags=["Customers"],
    parameters=[_IDENTIFIER, _INCLUDE],
    description=f"An id that was merged away is answered with a redirect. {_ABOUT_ADDRESSES}",
)
@for_programs("GET")
def show(request: Request, identifier: str) -> Response:
    """Golden record, source records, consents, segments."""
    asked = identified.of_address(identifier)
    include = customer.wanted(request.query_params.get("include"))
    return _answer(request._request, asked, include)


@open_to_keys(KeyScope.PROFILES_READ)
@requires(Permission.VIEW_CUSTOMERS)
@described(
    "A customer by any identifier",
    customer.CUSTOMER,
    scope=KeyScope.PROFILES_READ,
    refusals=_REFUSALS,
    tags=["Customers"],
    request=customer.LookUpRequest,
    description="By whoever holds it now: not who gave it up, nor what a browser's public key claims.",
)
@for_programs("POST")
def look_up(request: Request) -> Response:
    """The same answer; nothing personal stands in the address."""
    said = read(customer.LookUpRequest, request)
    asked = Asked(said["kind"], said["value"], said.get("source", ""))
    return _answer(request._request, asked, frozenset(said.get("include", customer.names_of_parts())))


@open_to_keys(KeyScope.CUSTOMERS_MERGE)
@requires(Permission.VIEW_CUSTOMERS)
@described(
    "How a customer's records became one", answers.EXPLANATION, scope=KeyScope.CUSTOMERS_MERGE, tags=["Customers"]
)
@for_programs("GET")
def explain(request: Request, public_id: UUID) -> Response:
    """Steps, the weakest link, what was refused, what was decided."""
    http = request._request
    profile = visible_profile(http, public_id, logged_as=viewing.BY_API)
    by = reader(http)
    records = overview.load(profile, by=by).records
    return Response(answers.explanation(explaining.explain(profile, by=by), verified.of_records(records)))


def _answer(http: HttpRequest, asked: UUID | Asked, include: frozenset[str]) -> Response:
    by = reader(http)
    if isinstance(asked, UUID):
        profile = visible_profile(http, asked, logged_as=viewing.BY_API)
    else:
        found = identified.find(asked, by=by)
        if not found:
            raise NotFoundProblem("No customer holds this identifier now, or none that you may see.")
        if len(found) > 1:
            return _several(found)
        (profile,) = found
        viewing.log([profile], by=by, what=viewing.BY_API)
    return Response(customer.answer(profile, by=by, include=include))


def _several(found: list[Profile]) -> Response:
    problem = ConflictProblem(
        "Several customers hold this identifier.",
        hint="Name its source, or ask for one of `profiles`.",
        code="ambiguous",
    )
    ids = [profile.public_id for profile in found]
    return Response({"error": problem.as_dict(), "profiles": ids}, status=problem.status)
