"""A mapping in words, and two versions of it side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core.errors import Text
from ingestion.files.mapping import Target
from ingestion.mapping_screen import mapping_words as words

SETTING_LABELS: Mapping[str, Text] = {
    "rows": gettext_lazy("Each row is"),
    "date_order": gettext_lazy("Dates are written"),
    "two_digit_years": gettext_lazy("Years of two digits are"),
    "empty": gettext_lazy("An empty cell means"),
    "without_id": gettext_lazy("A row without a customer's id"),
}
_WORDS: Mapping[str, Mapping[str, Text]] = {
    "rows": words.ROW_LABELS,
    "date_order": words.DATE_LABELS,
    "two_digit_years": words.YEAR_LABELS,
    "empty": words.EMPTY_LABELS,
    "without_id": words.OWNER_LABELS,
}
_DEFAULTS: Mapping[str, str] = {"date_order": "dmy", "empty": "unchanged", "without_id": "left_out"}


@dataclass(frozen=True, slots=True)
class Use:
    """What one column, or a fixed value, becomes; `details` are its steps and, of a consent, what was asked."""

    column: str
    value: str
    target: Text
    details: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `kind` is "added", "removed" or "changed"; of a setting `label` names it."""

    kind: str
    label: Text
    before: Use | Text | None
    after: Use | Text | None


def rows_label(definition: Mapping[str, Any]) -> Text:
    """What a row of its files is."""
    return _setting("rows", definition)


def settings(definition: Mapping[str, Any]) -> dict[Text, Text]:
    """Label → what the definition says of the file as a whole."""
    return {label: _setting(name, definition) for name, label in SETTING_LABELS.items()}


def _setting(name: str, definition: Mapping[str, Any]) -> Text:
    stated = definition.get(name) or _DEFAULTS.get(name, "")
    choice = stated.get("era", "") if isinstance(stated, dict) else stated
    return _WORDS[name].get(choice, choice)


def uses(definition: Mapping[str, Any]) -> list[Use]:
    return [use(one) for one in definition["fields"]]


def use(one: Mapping[str, Any]) -> Use:
    return Use(
        one.get("from", ""), one.get("value", ""), words.target_label(one["to"], one.get("name", "")), _details(one)
    )


def _details(one: Mapping[str, Any]) -> tuple[Text, ...]:
    told: list[Text] = []
    if one.get("namespace"):
        told.append(_("shared with other sources as %(name)s") % {"name": one["namespace"]})
    if one["to"] == Target.PROPERTY and one.get("type", "text") != "text":
        told.append(words.TYPE_LABELS[one["type"]])
    told += [_step(step) for step in one.get("steps", ())]
    if one["to"] == Target.CONSENT:
        told.append(f"{one['purpose']}, {one['channel']}")
    if values := one.get("values"):
        told.append(_pairs(values))
    when, notice, evidence = one.get("when", {}), one.get("notice", {}), one.get("evidence", {})
    if when:
        told.append(
            _("said on %(when)s") % {"when": " / ".join(when[name] for name in ("from", "value") if name in when)}
        )
    if notice:
        told.append(_("notice %(notice)s") % {"notice": notice.get("version") or notice.get("text", "")})
    if evidence:
        told.append(", ".join(str(words.WAY_LABELS.get(text, text)) for text in evidence.values()))
    return tuple(told)


def _step(step: Mapping[str, Any]) -> Text:
    more = (
        _pairs(step["values"])
        if "values" in step
        else " ".join(f"“{step[name]}”" for name in ("column", "text", "order") if str(step.get(name) or "").strip())
    )
    label = words.STEP_LABELS[step["do"]]
    return f"{label}: {more}" if more else label


def _pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"{value} → {result or '∅'}" for value, result in values.items())


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What is different in the later version: settings first, then fields in the order of the file."""
    found = [
        Change("changed", label, _setting(name, before), _setting(name, after))
        for name, label in SETTING_LABELS.items()
        if _setting(name, before) != _setting(name, after)
    ]
    old, new = _by_place(before), _by_place(after)
    for place in [*new, *(place for place in old if place not in new)]:
        was, now = old.get(place), new.get(place)
        if was is None and now is not None:
            found.append(Change("added", "", None, use(now)))
        elif was is not None and now is None:
            found.append(Change("removed", "", use(was), None))
        elif was is not None and now is not None and was != now:
            found.append(Change("changed", "", use(was), use(now)))
    return found


def _by_place(definition: Mapping[str, Any]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Fields by their column and which of its uses they are; fixed values by what they become."""
    places: dict[tuple[str, int], Mapping[str, Any]] = {}
    for one in definition["fields"]:
        named = one.get("from") or f"\0{one['to']}:{one.get('name', '')}"
        number = sum(1 for column, _number in places if column == named)
        places[named, number] = one
    return places
