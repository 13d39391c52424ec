"""Finding whom a breach affects, and writing them down. A leaked list is read while it is there and never kept."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from cdp_site.core import audit
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent.breach import leaks
from consent.models import Breach, BreachPerson
from profiles.identified import normalised
from profiles.models import Identifier, Profile

ACTOR = "system:breach"
AT_ONCE: Final = 5_000
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_CELLS: Final = 400_000  # about ten seconds of look-ups
_BETWEEN = re.compile(r"[,;\t|]")
KINDS: Final = ("email", "phone", "member", "line", "user", "device", "citizen")
SHORTEST_PAPER: Final = 6  # characters; a shorter cell is no number of a paper


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list leads to: keys of profiles, how many lines it has, and how many of them lead to nobody."""

    profile_ids: frozenset[int]
    lines: int
    unmatched: int


def text_of(data: bytes) -> str:
    """The text of a file, in UTF-8, UTF-16 or the Thai code page. Raises MendableError for what is too large."""
    if len(data) > MOST_BYTES:
        raise MendableError(leaks.TOO_LARGE, field="file")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp874", "replace")


def in_list(text: str) -> Listed:
    """Everybody who holds, or has held, anything that stands in the list: whoever knows a former number knows something
    of its former holder as well. Raises MendableError for too long a list. One query for 5,000 values of a kind."""
    lines = [[cell.strip().strip('"') for cell in _BETWEEN.split(line)] for line in text.splitlines() if line.strip()]
    if sum(map(len, lines)) > MOST_CELLS:
        raise MendableError(leaks.TOO_LARGE, field="file")
    holders = _holders({cell for cells in lines for cell in cells if cell})
    found = [{profile for cell in cells for profile in holders.get(cell, ())} for cells in lines]
    return Listed(frozenset().union(*found), len(lines), sum(not profiles for profiles in found))


def _holders(cells: Iterable[str]) -> dict[str, set[int]]:
    """Cell → profiles that hold it under any kind."""
    given = sorted(cells)
    found: dict[str, set[int]] = {}
    for kind in KINDS:
        by_value: dict[str, list[str]] = {}
        for cell in given:
            if kind == "citizen" and len(cell) < SHORTEST_PAPER:
                continue
            if value := normalised(kind, cell):
                by_value.setdefault(value, []).append(cell)
        for some in _chunks(sorted(by_value)):
            rows = Identifier.objects.filter(kind=kind, value__in=some).values_list("value", "profile_id")
            for value, profile_id in rows:
                for cell in by_value[value]:
                    found.setdefault(cell, set()).add(profile_id)
    return found


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


def run(breach_id: UUID) -> None:
    """Find whom a leak of what is stored here affects. By a job; done again it finds the same. A failure stands on the
    breach, whose page offers to try again."""
    breach = Breach.objects.get(pk=breach_id)
    try:
        write_down(breach, leaks.people(breach))
    except DatabaseError:
        Breach.objects.filter(pk=breach_id).update(status=Breach.Status.FAILED)
        raise


@transaction.atomic
def write_down(breach: Breach, profile_ids: Iterable[int]) -> None:
    """Each live profile that these belong to now, once."""
    left = iter(profile_ids)
    while some := list(islice(left, AT_ONCE)):
        live = Profile.objects.filter(pk__in=some).values_list(Coalesce(F("redirect_to__public_id"), F("public_id")))
        rows = [BreachPerson(breach=breach, profile=public_id) for (public_id,) in live.distinct()]
        BreachPerson.objects.bulk_create(rows, ignore_conflicts=True)
    breach.status, breach.affected = Breach.Status.FOUND, breach.people.count()
    breach.save(update_fields=["status", "affected"])
    audit.record(action="breach.find", target=breach, by=ACTOR, fields=["affected"])


def affected(breach: Breach, *, by: User) -> "QuerySet[Profile]":
    """The customers as they are now, those whom the user may see; who has been erased since is no longer among them."""
    named = Profile.objects.filter(public_id__in=breach.people.values("profile"))
    keys = named.annotate(live=Coalesce(F("redirect_to"), F("pk"))).values("live")
    return Profile.objects.visible_to(by).filter(pk__in=keys).order_by("pk")
