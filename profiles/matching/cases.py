"""Whom a number of data quality is about: the cases that the last look has kept, as a reader may see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Min

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import directory, masking
from profiles.directory import Row
from profiles.labels import identifier_kind
from profiles.models import Identifier, IdentifierKey, Profile, QualityFinding, QualityLook
from profiles.relatives import value_text

PAGE_SIZE = 50

Kind = QualityFinding.Kind


@dataclass(frozen=True, slots=True)
class Case:
    """A customer behind a number; `size`: records, names or ids, as the number says."""

    row: Row
    size: int


@dataclass(frozen=True, slots=True)
class SharedKey:
    """An identifier of several people; `text` is ready to be shown."""

    id: int
    kind: str
    text: str
    people: int


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and where the next one begins."""

    cases: Sequence[Case] = ()
    keys: Sequence[SharedKey] = ()
    next: int | None = None


def of_kind(
    look: QualityLook, kind: str, *, by: User, source: Source | None = None, key_kind: str = "", after: int = 0
) -> Page:
    """The next cases of a kind, the gravest first. Who was merged away or erased since is not listed.

    Args:
        source: for kinds that are counted by source.
        key_kind: for shared identifiers, of which kind.
        after: the last one's id on the page before.
    """
    found = QualityFinding.objects.filter(look=look, kind=kind, source=source, pk__gt=after).order_by("pk")
    if kind == Kind.SHARED:
        found = found.filter(key__kind=key_kind)
    page = list(found[: PAGE_SIZE + 1])
    shown, following = page[:PAGE_SIZE], page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else None
    if kind == Kind.SHARED:
        return Page(keys=_keys(shown, by=by), next=following)
    size_of = {one.profile_id: one.size for one in shown}
    visible = Profile.objects.visible_to(by).in_bulk(size_of)
    rows = directory.rows([visible[number] for number in size_of if number in visible], by=by)
    return Page(cases=[Case(row, size_of[row.profile.pk]) for row in rows], next=following)


def find_key(key_id: int, *, by: User) -> SharedKey | None:
    """The identifier, when the reader may see two of the people who state it."""
    people = len(_holders(key_id, by))
    finding = QualityFinding(key_id=key_id, size=people)
    return next(iter(_keys([finding], by=by)), None) if people > 1 else None


def holders(key_id: int, *, by: User) -> list[Row]:
    """The first people who state an identifier."""
    return directory.rows(_holders(key_id, by)[:PAGE_SIZE], by=by)


def _holders(key_id: int, by: User) -> list[Profile]:
    key = IdentifierKey.objects.filter(pk=key_id).first()
    if key is None:
        return []
    stated = Identifier.objects.filter(kind=key.kind, namespace=key.namespace, value=key.value, is_evidence=True)
    people = Profile.objects.visible_to(by).people().filter(pk__in=stated.values("profile"))
    return list(people.order_by("pk")[: 2 * PAGE_SIZE])


def _keys(found: Sequence[QualityFinding], *, by: User) -> list[SharedKey]:
    """Two queries."""
    keys = IdentifierKey.objects.in_bulk([one.key_id for one in found])
    shows = masking.shows_all_identifiers(by)
    texts = {
        (kind, namespace, value): raw
        for kind, namespace, value, raw in Identifier.objects.filter(
            kind__in={key.kind for key in keys.values()}, value__in=[key.value for key in keys.values()]
        )
        .values_list("kind", "namespace", "value")
        .annotate(said=Min("raw"))
    }
    shown = []
    for one in found:
        key = keys.get(one.key_id or 0)
        if key is not None:
            key_id = (key.kind, key.namespace, key.value)
            # A number as everybody writes it, other identifiers as one of them has written it.
            said = key.value if key.kind == "phone" else texts.get(key_id, "")
            text = value_text(key_id, said, shows=shows)
            shown.append(SharedKey(key.pk, identifier_kind(key.kind), text, one.size))
    return shown
