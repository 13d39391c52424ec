"""Elements of a JSON line's list: what belongs together under one element, and the traits that they give. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ingestion.files import paths
from ingestion.files.mapping import Rule

# What a rule's steps make of a value: (value, row) → value.
Change = Callable[[Any, Any], Any]
# A rule under a list: the path within an element, and its steps where it has some.
Within = tuple[paths.Path, Rule, Change | None]
_NAME_PARTS: Final = ("title", "first_name", "middle_name", "last_name")
_ADDRESS_PARTS: Final = frozenset(
    {"address", "address_line2", "subdistrict", "district", "city", "province", "postcode", "country"}
)


def by_list(rules: Sequence[Rule], changes: Callable[[Rule], Change]) -> dict[paths.Path, list[Within]]:
    """Rules under a list, by the path of the innermost list."""
    groups: dict[paths.Path, list[Within]] = {}
    for rule in rules:
        base, mark, inner = rule.column.rpartition("[]")
        if mark:
            within = paths.parse(inner.lstrip(".")) if inner else ()
            change = changes(rule) if rule.steps else None
            groups.setdefault(paths.parse(base + mark), []).append((within, rule, change))
    return groups


def part(element: Any, rules: Sequence[Within], cells: Any) -> dict[str, Any]:
    """Trait → value of one element of a list."""
    found: dict[str, Any] = {}
    for within, rule, change in rules:
        for value in paths.walk(element, within):
            text = value.strip() if isinstance(value, str) else value
            text = change(text, cells) if change else text
            if text not in (None, "") and rule.name not in found:
                found[rule.name] = text
    return found


def traits(elements: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The traits of a list's elements: name parts of one element are one name, address parts one address."""
    names = [element for element in elements if any(part in element for part in _NAME_PARTS)]
    if len(names) == 1 and not any("name" in element for element in elements):
        yield from ((part, names[0][part]) for part in _NAME_PARTS if part in names[0])
    else:
        for element in names:
            yield "name", " ".join(str(element[part]) for part in _NAME_PARTS if part in element)
    for element in elements:
        address = {name: value for name, value in element.items() if name in _ADDRESS_PARTS}
        if address:
            yield "address", address if len(address) > 1 else next(iter(address.values()))
        for name, value in element.items():
            if name not in _NAME_PARTS and name not in _ADDRESS_PARTS:
                yield name, value
