"""A preview of a merge or unmerge as a page shows it: people side by side, now and afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from profiles.labels import value_label
from profiles.merging import Preview
from profiles.models import SourceRecord, Trait
from profiles.naming import shown_name
from profiles.overview import texts_of


@dataclass(frozen=True, slots=True)
class Person:
    """A column: the records that are or would be one customer."""

    name: str
    records: Sequence[SourceRecord]


@dataclass(frozen=True, slots=True)
class Row:
    """A trait with its value for each person before and after.

    `is_changed`: somebody who has a value now shows another one, or none, afterwards. To gain a value is no change.
    """

    trait: Trait
    before: Sequence[str]
    after: Sequence[str]
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    before: Sequence[Person]
    after: Sequence[Person]
    rows: Sequence[Row]


def compare(preview: Preview) -> Comparison:
    """The preview in words; traits on which everybody agrees are left out. Two queries."""
    records = SourceRecord.objects.select_related("source").in_bulk(
        {number for group in [*preview.before, *preview.after] for number in group}
    )
    goes_on_as = _goes_on_as(preview)
    goldens = [*preview.golden_before, *preview.golden_after]
    names = {trait for golden in goldens for trait in golden}
    traits = Trait.objects.filter(name__in=names).select_related("group")
    rows = [
        Row(
            trait=trait,
            before=[_text(trait.name, golden) for golden in preview.golden_before],
            after=[_text(trait.name, golden) for golden in preview.golden_after],
            is_changed=any(
                old.get(trait.name) not in (None, new.get(trait.name))
                for old, new in zip(preview.golden_before, goes_on_as, strict=True)
            ),
        )
        for trait in sorted(traits, key=lambda trait: (trait.group.position, trait.position, trait.name))
    ]
    return Comparison(
        before=_people(preview.before, preview.golden_before, records),
        after=_people(preview.after, preview.golden_after, records),
        rows=[row for row in rows if row.is_changed or len({*row.before, *row.after}) > 1],
    )


def _goes_on_as(preview: Preview) -> list[Mapping[str, Any]]:
    """For each person now, the golden record of the one afterwards who has most of the records."""
    golden = []
    for group in preview.before:
        shares = [len(group & other) for other in preview.after]
        golden.append(preview.golden_after[shares.index(max(shares))])
    return golden


def _people(
    groups: Sequence[frozenset[int]], goldens: Sequence[Mapping[str, Any]], records: Mapping[int, SourceRecord]
) -> list[Person]:
    return [
        Person(shown_name(golden), [records[number] for number in sorted(group) if number in records])
        for group, golden in zip(groups, goldens, strict=True)
    ]


def _text(trait: str, golden: Mapping[str, Any]) -> str:
    return ", ".join(value_label(trait, text) for text in texts_of(golden[trait])) if trait in golden else ""
