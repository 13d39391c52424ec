"""Merges for programs: what a steward does in the browser.

Whoever calls is a person who is logged in, by the session cookie of the login page and the CSRF token (`X-CSRFToken`;
behind TLS the Referer too), or a program with a key of the scope `customers:merge`. Permissions and scope are theirs.

What a person says teaches the models (`by_hand`); what a program says does not. Nor does a program overrule people: it
merges nobody whom a person keeps apart, parts nobody whom a person has joined, and takes back what programs did.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from cdp_site.core import audit, hashing
from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.machines.doors import open_to_keys
from cdp_site.core.machines.rest import described, for_programs, read
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import Operation, User
from profiles import merging, viewing
from profiles.api import answers, restraint
from profiles.api.requests import (
    MergePreviewRequest,
    MergeRequest,
    RevertRequest,
    UnmergePreviewRequest,
    UnmergeRequest,
)
from profiles.matching import by_hand
from profiles.merging import Outcome
from profiles.models import Profile
from profiles.resolution import pipeline
from profiles.views.fetch import reader, visible_profile

LONGEST_KEY = 200
REVERTIBLE = (Operation.Kind.MERGE, Operation.Kind.UNMERGE)

_OF_MERGES: Any = {
    "scope": KeyScope.CUSTOMERS_MERGE,
    "tags": ["Customers"],
    "refusals": {
        400: "The request cannot be used; says where.",
        409: "It has changed meanwhile, or a person has decided otherwise: look again.",
    },
}
_ONCE = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=f"Any text of at most {LONGEST_KEY} characters, new for each thing to be done. The same request sent "
    "again with it is not done twice, and is answered with what came of it.",
)


@open_to_keys(KeyScope.CUSTOMERS_MERGE)
@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("What a merge would do", answers.PreviewAnswer, request=MergePreviewRequest, **_OF_MERGES)
@for_programs("POST")
def preview_merge(request: Request) -> Response:
    """Changes nothing."""
    asked = read(MergePreviewRequest, request)
    preview = merging.preview_merge(_profiles(asked["profiles"], request))
    return Response(answers.preview(preview.within(scope_of(reader(request._request)))))


@open_to_keys(KeyScope.CUSTOMERS_MERGE)
@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("Merge customers", answers.OutcomeAnswer, request=MergeRequest, **_OF_MERGES, parameters=[_ONCE])
@for_programs("POST")
def merge(request: Request) -> Response:
    """Make one customer of several."""
    asked = read(MergeRequest, request)

    def do(by: User, number: UUID | None) -> Outcome:
        profiles = _profiles(asked["profiles"], request)
        if by.machine_key is not None:
            restraint.check_merge(profiles)
            return merging.merge(profiles=profiles, by=by, reason=asked["reason"], operation_id=number)
        return by_hand.merge(profiles=profiles, by=by, reason=asked["reason"], operation_id=number)

    return _once(request, do)


@open_to_keys(KeyScope.CUSTOMERS_MERGE)
@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described("What an unmerge would do", answers.PreviewAnswer, request=UnmergePreviewRequest, **_OF_MERGES)
@for_programs("POST")
def preview_unmerge(request: Request) -> Response:
    """Changes nothing."""
    asked = read(UnmergePreviewRequest, request)
    (profile,) = _profiles([asked["profile"]], request)
    preview = merging.preview_unmerge(profile, asked["records"], asked.get("notes_to"))
    return Response(answers.preview(preview.within(scope_of(reader(request._request)))))


@open_to_keys(KeyScope.CUSTOMERS_MERGE)
@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described(
    "Take records out of a customer", answers.OutcomeAnswer, request=UnmergeRequest, **_OF_MERGES, parameters=[_ONCE]
)
@for_programs("POST")
def unmerge(request: Request) -> Response:
    """What hangs on the records goes along; each side bears the id that it had before."""
    asked = read(UnmergeRequest, request)
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
        if by.machine_key is not None:
            restraint.check_unmerge(asked["records"])
        part = by_hand.unmerge if by.machine_key is None else merging.unmerge
        return part(
            profile=profile,
            records=asked["records"],
            by=by,
            reason=asked["reason"],
            notes_to=notes_to,
            operation_id=number,
        )

    return _once(request, do)


@open_to_keys(KeyScope.CUSTOMERS_MERGE)
@requires(Permission.VIEW_CUSTOMERS, Permission.MERGE_PROFILES)
@described(
    "Take a merge or unmerge back", answers.OutcomeAnswer, request=RevertRequest, **_OF_MERGES, parameters=[_ONCE]
)
@for_programs("POST")
def revert(request: Request) -> Response:
    """Everything returns to where it was; what arrived since goes with its record."""
    asked = read(RevertRequest, request)

    def do(by: User, number: UUID | None) -> Outcome:
        operation = Operation.objects.filter(pk=asked["operation"], kind__in=REVERTIBLE).first()
        is_programs = operation is not None and operation.actor.startswith("key:")
        if operation is None or (by.machine_key is not None and not is_programs):
            raise NotFoundProblem("There is no such merge or unmerge.", field="operation")
        take_back = by_hand.revert if by.machine_key is None else merging.revert
        return take_back(operation=operation, by=by, reason=asked["reason"], operation_id=number)

    return _once(request, do)


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
        said = json.dumps([audit.actor_name(by), request.path, key, request.data], sort_keys=True)
        number = UUID(bytes=hashing.keyed(said, purpose="idempotency")[:16], version=4)
        pipeline.take_merge_lock()
        known = Operation.objects.filter(pk=number).first()
        if known is not None:
            return Response(answers.outcome(merging.outcome_of(known)))
    return Response(answers.outcome(do(by, number)))
