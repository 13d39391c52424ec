"""What to know before an e-mail address or a phone number is changed: it is also how people are recognised.

What an agent types proposes and joins nobody, so the consequences are few; they are told before anything is saved.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from django.db.models import QuerySet

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.hashing import keyed
from cdp_site.core.models import User
from profiles import masking, overview, relatives
from profiles.directory import Row
from profiles.editing.fields import Editable
from profiles.editing.reading import Typed
from profiles.labels import value_label
from profiles.models import Identifier, Profile, SourceRecord

IDENTIFYING = frozenset({"email", "phone"})
MOST = 3  # customers that are named


@dataclass(frozen=True, slots=True)
class Consequences:
    """Args:
    others: customers whom the viewer may see and who have the same; saving joins nobody.
    more: how many of them are not named.
    known_from: sources that state the new value of this customer already.
    stays: values that other sources go on stating, as the viewer may read them, with these sources' names.
    speaks_for_nobody: the value reaches somebody and tells nothing of who it is (a switchboard).
    """

    others: Sequence[Row] = ()
    more: int = 0
    known_from: Sequence[str] = ()
    stays: Sequence[tuple[str, Sequence[str]]] = ()
    speaks_for_nobody: bool = False

    def __bool__(self) -> bool:
        return bool(self.others or self.known_from or self.stays or self.speaks_for_nobody)


def foresee(profile: Profile, editable: Editable, typed: Typed, *, by: User) -> Consequences:
    """What saving would mean, told only of what the viewer may see. At most twelve queries beside the scope."""
    trait = editable.trait.name
    if trait not in IDENTIFYING or typed.values.get(trait, editable.values.get(trait)) == editable.values.get(trait):
        return Consequences()
    scope = scope_of(by)
    seen = overview.records_of([profile], scope)[profile.pk]
    told = {one.pk: one for one in seen if one.kind != SourceRecord.Kind.AGENT}
    new = [one.value.value for one in typed.identifiers if one.kind == trait]
    stating = Identifier.objects.filter(kind=trait, value__in=new, is_current=True, valid_to__isnull=True)
    holders = _seen(stating.exclude(profile=profile), scope)
    customers = {row.profile.pk: row for row in relatives.customers_of(holders, by=by).values()}
    return Consequences(
        others=list(customers.values())[:MOST],
        more=max(0, len(customers) - MOST),
        known_from=_names(told[one] for one in stating.filter(record__in=told).values_list("record", flat=True)),
        stays=_staying(profile, trait, told, without=new, by=by),
        speaks_for_nobody=any(not one.value.evidence for one in typed.identifiers if one.kind == trait),
    )


def _seen(stating: QuerySet[Identifier], scope: Scope) -> set[int]:
    rows = stating.filter(is_evidence=True)
    if scope.source_ids is not None:
        rows = rows.filter(record__source__in=scope.source_ids)
    return set(rows.values_list("record", flat=True))


def _staying(
    profile: Profile, trait: str, told: Mapping[int, SourceRecord], *, without: Sequence[str], by: User
) -> list[tuple[str, list[str]]]:
    """Values that sources state and that the change does not take from them: a source alone takes back its word."""
    rows = Identifier.objects.filter(record__in=told, kind=trait, is_current=True, valid_to__isnull=True)
    by_value: dict[str, list[SourceRecord]] = {}
    for value, record in rows.exclude(value__in=without).order_by("pk").values_list("value", "record"):
        by_value.setdefault(value, []).append(told[record])
    shows = masking.shows_identifiers(by, profile.pk)
    return [
        (masking.shown(trait, [value_label(trait, value)], shows=shows)[0], _names(records))
        for value, records in by_value.items()
    ]


def _names(records: Iterable[SourceRecord]) -> list[str]:
    return list(dict.fromkeys(str(record.source) for record in records))


def mark(typed: Typed) -> str:
    """What was typed, as a mark that tells nothing of it: whoever sends it back has been told the consequences of
    these very values."""
    said = msgspec.json.encode(typed.values, order="deterministic").decode()
    return keyed(said, purpose="edit.agreed").hex()[:32]
