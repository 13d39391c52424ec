"""What asks for a computed trait."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any as Json

from django.urls import reverse

from cdp_site.core.models import User
from segments.definition import nodes
from segments.membership import refreshing
from segments.models import ComputedTrait, Segment
from segments.traits.formula import slug_of


@dataclass(frozen=True, slots=True)
class Use:
    """A segment that asks for it. `name` and `url` are empty for one that the reader may not see."""

    name: str
    url: str


def of(trait: ComputedTrait, *, by: User) -> list[Use]:
    """The segments whose definitions name the trait, by name; those that the reader may not see come last. Two
    queries."""
    asking = segments_of(trait)
    visible = set(Segment.objects.visible_to(by).naming_computed(trait.slug).values_list("pk", flat=True))
    seen = [one for one in asking if one.pk in visible]
    return [
        *(Use(one.name, reverse("segments:segment", args=[one.pk])) for one in seen),
        *(Use("", "") for _hidden in range(len(asking) - len(seen))),
    ]


def segments_of(trait: ComputedTrait) -> list[Segment]:
    """The segments that name the trait themselves, archived ones left out. One query."""
    return list(Segment.objects.living().naming_computed(trait.slug).order_by("name", "pk"))


def counts() -> Counter[str]:
    """Slug → how many segments name the trait, archived ones left out. One query."""
    written = Segment.objects.living().values_list("definition", flat=True)
    return Counter(slug for definition in written for slug in set(_slugs(definition)))


def _slugs(tree: Json) -> Iterator[str]:
    """The computed traits that are named anywhere in a JSON definition."""
    if isinstance(tree, dict) and isinstance(tree.get("trait"), str) and (slug := slug_of(tree["trait"])):
        yield slug
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _slugs(part)


def ask_again(trait: ComputedTrait) -> None:
    """Have the memberships of the segments that ask for the trait, themselves or through others, evaluated anew, for
    everybody: it means another thing now."""
    refreshing.ask(
        refreshing.leaning(
            lambda condition: isinstance(condition, nodes.AttributeCondition) and slug_of(condition.trait) == trait.slug
        )
    )
