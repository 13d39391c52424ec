"""What a program may not decide: against people. Who is one person is first of all people's to say; a program that
merges by rules of its own would else undo every correction that it meets."""

from collections.abc import Collection, Iterable

from django.db.models import Q

from cdp_site.core.errors import ConflictProblem
from profiles import merging
from profiles.models import LinkDecision, Profile

_BY_PEOPLE = Q(kind=LinkDecision.Kind.STEWARD, actor__startswith="user:")


class OverrulingProblem(ConflictProblem):
    """A person has decided otherwise."""

    code = "overrules_a_person"

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="Only a person can decide otherwise.")


def check_merge(profiles: Iterable[Profile]) -> None:
    """Raises OverrulingProblem when a person keeps some of them apart."""
    overruled = merging.preview_merge(list(profiles)).overruled
    if LinkDecision.objects.filter(_BY_PEOPLE, pk__in=overruled).exists():
        raise OverrulingProblem("A person keeps these customers apart.")


def check_unmerge(records: Collection[int]) -> None:
    """Raises OverrulingProblem when a person has joined one of the records with another that would stay."""
    across = Q(record_a__in=records) ^ Q(record_b__in=records)
    links = LinkDecision.objects.standing().filter(_BY_PEOPLE, across, action=LinkDecision.Action.LINK)
    if links.exists():
        raise OverrulingProblem("A person has joined these records with others.")
