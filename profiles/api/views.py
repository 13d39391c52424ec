"""Customers and their merges for programs.

Whoever calls is a person who is logged in: the session cookie of the login page and, with everything that writes, the
CSRF token (`X-CSRFToken`; behind TLS the Referer too). Permissions and scope are those of the person.
"""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from cdp_site.core import hashing
from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.models import Operation, User
from profiles import explaining, merging, overview, viewing
from profiles.api import answers
from profiles.api.requests import (
    MergePreviewRequest,
    MergeRequest,
    RevertRequest,
    UnmergePreviewRequest,
    UnmergeRequest,
)
from profiles.matching import by_hand, verified
from profiles.merging import Outcome
from profiles.models import Profile, VerifiedRecord
from profiles.resolution import pipeline
from profiles.views.fetch import reader, visible_profile

LONGEST_KEY = 200
REVERTIBLE = (Operation.Kind.MERGE, Operation.Kind.UNMERGE)

_REFUSALS = {
    401: OpenApiResponse(answers.Problem, "Nobody is logged in."),
    404: OpenApiResponse(answers.Problem, "It is not there, or not yours to see."),
}
_WRITE_REFUSALS = {
    400: OpenApiResponse(answers.Problem, "The request cannot be used; says where."),
    403: OpenApiResponse(answers.Problem, "The CSRF token is missing."),
    409: OpenApiResponse(answers.Problem, "It has changed meanwhile: look again."),
    **_REFUSALS,
}
_ONCE = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=f"Any text of at most {LONGEST_KEY} characters, new for each thing to be done. The same request sent "
    "again with it is not done twice, and is answered with what came of it.",
)


def for_programs(method: str) -> Callable[[Callable[..., Response]], Any]:
    """A view of REST framework: a login by session, and the CSRF token where it writes."""

    def decorate(view: Callable[..., Response]) -> Any:
        view = permission_classes([IsAuthenticated])(authentication_classes([SessionAuthentication])(view))
        return api_view([method])(view)

    return decorate


def described(summary: str, answer: Any, **more: Any) -> Callable[[Any], Any]:
    """What the OpenAPI document says of a view."""
    refusals = _WRITE_REFUSALS if "request" in more else _REFUSALS
    return extend_schema(summary=summary, tags=["Customers"], responses={200: answer, **refusals}, **more)


# --- read ---------------------------------------------------------------------------------------------------------


@requires(Permission.VIEW_CUSTOMERS)
@described("A customer", answers.ProfileAnswer, description="An id that was merged away is answered with a redirect.")
@for_programs("GET")
def show(request: Request, public_id: UUID) -> Response:
    """Golden record and source records."""
    http = request._request
    profile = visible_profile(http, public_id, logged_as=viewing.BY_API)
    customer = overview.load(profile, by=reader(http))
    marks = VerifiedRecord.objects.filter(record__in=[record.pk for record in customer.records])
    # Of records that the reader sees: another's birth would tell of a source that is not theirs.
    births = Profile.objects.filter(pk__in=[record.birth_profile_id for record in customer.records])
    aliases = births.filter(redirect_to=profile).order_by("pk").values_list("public_id", flat=True)
    return Response(answers.profile(customer, frozenset(marks.values_list("record", flat=True)), list(aliases)))


@requires(Permission.VIEW_CUSTOMERS)
@described("How a customer's records became one", answers.EXPLANATION)
@for_programs("GET")
def explain(request: Request, public_id: UUID) -> Response:
    """Steps, the weakest link, what was refused, what was decided."""
    http = request._request
    profile = visible_profile(http, public_id, logged_as=viewing.BY_API)
    by = reader(http)
    records = overview.load(profile, by=by).records
    return Response(answers.explanation(explaining.explain(profile, by=by), verified.of_records(records)))


# --- write --------------------------------------------------------------------------------------------------------


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("What a merge would do", answers.PreviewAnswer, request=MergePreviewRequest)
@for_programs("POST")
def preview_merge(request: Request) -> Response:
    """Changes nothing."""
    asked = _read(MergePreviewRequest, request)
    preview = merging.preview_merge(_profiles(asked["profiles"], request))
    return Response(answers.preview(preview.within(scope_of(reader(request._request)))))


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("Merge customers", answers.OutcomeAnswer, request=MergeRequest, parameters=[_ONCE])
@for_programs("POST")
def merge(request: Request) -> Response:
    """Make one customer of several."""
    asked = _read(MergeRequest, request)

    def do(by: User, number: UUID | None) -> Outcome:
        profiles = _profiles(asked["profiles"], request)
        return by_hand.merge(profiles=profiles, by=by, reason=asked["reason"], operation_id=number)

    return _once(request, do)


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("What an unmerge would do", answers.PreviewAnswer, request=UnmergePreviewRequest)
@for_programs("POST")
def preview_unmerge(request: Request) -> Response:
    """Changes nothing."""
    asked = _read(UnmergePreviewRequest, request)
    (profile,) = _profiles([asked["profile"]], request)
    preview = merging.preview_unmerge(profile, asked["records"], asked.get("notes_to"))
    return Response(answers.preview(preview.within(scope_of(reader(request._request)))))


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("Take records out of a customer", answers.OutcomeAnswer, request=UnmergeRequest, parameters=[_ONCE])
@for_programs("POST")
def unmerge(request: Request) -> Response:
    """What hangs on the records goes along; each side bears the id that it had before."""
    asked = _read(UnmergeRequest, request)
    notes_to = asked.get("notes_to", {})

    def do(by: User, number: UUID | None) -> Outcome:
        (profile,) = _profiles([asked["profile"]], request)
        unclear = set(merging.preview_unmerge(profile, asked["records"], notes_to).unclear_notes) - notes_to.keys()
        if unclear:
            raise MendableError(
                "It is not clear with which record some notes go.",
                field="notes_to",
                hint=f"Say it of these records: {', '.join(map(str, sorted(unclear)))}.",
                code="notes_unclear",
            )
        return by_hand.unmerge(
            profile=profile,
            records=asked["records"],
            by=by,
            reason=asked["reason"],
            notes_to=notes_to,
            operation_id=number,
        )

    return _once(request, do)


@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("Take a merge or unmerge back", answers.OutcomeAnswer, request=RevertRequest, parameters=[_ONCE])
@for_programs("POST")
def revert(request: Request) -> Response:
    """Everything returns to where it was; what arrived since goes with its record."""
    asked = _read(RevertRequest, request)

    def do(by: User, number: UUID | None) -> Outcome:
        operation = Operation.objects.filter(pk=asked["operation"], kind__in=REVERTIBLE).first()
        if operation is None:
            raise NotFoundProblem("There is no such merge or unmerge.", field="operation")
        return by_hand.revert(operation=operation, by=by, reason=asked["reason"], operation_id=number)

    return _once(request, do)


def _read(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    read = serializer(data=request.data)
    read.is_valid(raise_exception=True)
    found: dict[str, Any] = read.validated_data
    return found


def _profiles(public_ids: Iterable[UUID], request: Request) -> list[Profile]:
    """The live customers of these ids, with the look at them written down."""
    http = request._request
    return [visible_profile(http, public_id, logged_as=viewing.BY_API) for public_id in public_ids]


@transaction.atomic
def _once(request: Request, do: Callable[[User, UUID | None], Outcome]) -> Response:
    """Do it, or answer with what came of the same request the first time. The operation's id follows from the key."""
    by = reader(request._request)
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY:
        raise MendableError(f"The key has more than {LONGEST_KEY} characters.", field="Idempotency-Key")
    number = None
    if key:
        said = msgspec.json.encode([by.pk, request.path, key, request.data], order="deterministic").decode()
        number = UUID(bytes=hashing.keyed(said, purpose="idempotency")[:16], version=4)
        pipeline.take_merge_lock()
        known = Operation.objects.filter(pk=number).first()
        if known is not None:
            return Response(answers.outcome(merging.outcome_of(known)))
    return Response(answers.outcome(do(by, number)))
