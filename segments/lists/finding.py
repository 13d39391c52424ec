"""Whom ids lead to: the customers who hold them now, exactly. Nothing is guessed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import masking
from profiles.identified import normalised
from profiles.models import Identifier, Profile
from segments.lists.reading import Given

KINDS: Final = ("email", "phone", "member", "line", "user")
OF_SOURCES: Final = frozenset({"member", "line", "user"})
"""Of these each source has numbers of its own; an address is the same everywhere."""
_AT_ONCE: Final = 5_000  # ids a statement


@dataclass(frozen=True, slots=True)
class Found:
    """`records` are those that hold an id which leads to one customer. `unknown` lead to nobody whom the user sees,
    `several` to more than one customer: a shared number is no one's."""

    records: frozenset[int]
    n_given: int
    unknown: Sequence[Given]
    several: Sequence[Given]

    @property
    def n_found(self) -> int:
        return self.n_given - len(self.unknown) - len(self.several)


def kinds_for(by: User) -> list[str]:
    """The kinds of ids that a user may upload: those whose trait is not hidden from them."""
    hidden = masking.hidden_kinds(scope_of(by))
    return [kind for kind in KINDS if kind not in hidden]


def find(given: Iterable[Given], *, kind: str, source: Source | None = None, by: User) -> Found:
    """The records behind the ids, among those that the user sees. One query for each 5,000 ids.

    Args:
        kind: one of `kinds_for(by)`.
        source: whose numbers they are; None: any source's, as far as they lead to one customer.
    """
    ids = [(one, normalised(kind, one.text)) for one in given]
    held = _holders([value for _one, value in ids], kind=kind, source=source, scope=scope_of(by))
    records: set[int] = set()
    unknown, several = [], []
    for one, value in ids:
        found = held.get(value, {})
        if len(found) == 1:
            records.update(*found.values())
        elif found:
            several.append(one)
        elif not one.is_heading:
            unknown.append(one)
    n_given = sum(1 for one, value in ids if not one.is_heading or value in held)
    return Found(frozenset(records), n_given, unknown, several)


def _holders(
    values: Sequence[str], *, kind: str, source: Source | None, scope: Scope
) -> dict[str, dict[int, set[int]]]:
    """Value → customer → their records that hold it now, as evidence."""
    found: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for some in _chunks(sorted({value for value in values if value})):
        rows = Identifier.objects.filter(
            kind=kind,
            value__in=some,
            is_evidence=True,
            is_current=True,
            valid_to__isnull=True,
            profile__state=Profile.State.LIVE,
            profile__kind=Profile.Kind.IDENTIFIED,
        )
        if source is not None and kind in OF_SOURCES:
            rows = rows.filter(namespace=source.slug)
        if scope.source_ids is not None:
            rows = rows.filter(record__source__in=scope.source_ids)
        for value, profile_id, record_id in rows.values_list("value", "profile_id", "record_id"):
            found[value][profile_id].add(record_id)
    return found


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
