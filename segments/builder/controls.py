"""What a row of the builder is made of: controls in lines, and the buttons beside them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any as Json
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from segments.definition.parse import Problem

MOST_AT_A_GLANCE = 12
"""Choices of a select that are read rather than searched."""


@dataclass(frozen=True)
class Choice:
    """`note` stands behind the label: how many people it is about. A placeholder only asks to choose."""

    value: str
    label: str
    is_chosen: bool
    note: str = ""
    is_placeholder: bool = False


@dataclass(frozen=True)
class Control:
    """One control, or a word between two. `kind`: select, text, number, date or word (then `label` is the word).

    A structural one changes which others there are. `values_url` answers with common values.
    """

    name: str
    kind: str
    label: str
    value: Json = ""
    choices: Sequence[Choice] = ()
    is_structural: bool = False
    is_wrong: bool = False
    values_url: str = ""
    part: str = ""
    is_whole: bool = False

    @property
    def id(self) -> str:
        """Also differs by what the control is for, so that a control for something else is another element."""
        return f"f{self.name.replace('/', '-')}{self.part and '-' + self.part}"

    @property
    def is_long(self) -> bool:
        """Whether its choices are better found by typing."""
        return len(self.choices) > MOST_AT_A_GLANCE


@dataclass(frozen=True)
class Add:
    """A button that adds something: the action that it posts, and what it says."""

    action: str
    text: str
    icon: str = ""


@dataclass(frozen=True)
class Line:
    """Controls that stand together; `place` if the line can be removed, `adds` what can be added to it."""

    controls: Sequence[Control] = ()
    place: str = ""
    adds: Sequence[Add] = ()


@dataclass(frozen=True)
class Row:
    """A condition or a group. `problems` are those of the condition, or of the group itself."""

    place: str
    kind: str
    title: str
    icon: str
    problems: Sequence[Problem]
    is_first: bool
    is_last: bool
    can_enter: bool = False
    can_leave: bool = False
    lines: Sequence[Line] = ()
    members: Sequence["Row"] = ()
    mode: Control | None = None
    adds: Sequence[Add] = ()

    @property
    def id(self) -> str:
        return f"r{self.place.replace('/', '-')}"

    @property
    def is_outermost(self) -> bool:
        return self.place == "/where"

    def flat(self) -> Iterator["Row"]:
        """Itself and every row below it."""
        yield self
        for member in self.members:
            yield from member.flat()


@dataclass(frozen=True)
class Makers:
    """Makes controls; marks those that a problem is about."""

    problems: Sequence[Problem] = field(default=())

    def select(
        self,
        name: str,
        label: str,
        labels: Mapping[str, str],
        chosen: str,
        *,
        opens: str = "",
        leaves: str = "",
        notes: Mapping[str, str] | None = None,
    ) -> Control:
        """A select. `opens`: what it says while nothing is chosen; `leaves`: the answer that leaves it open. What is
        chosen but not offered is shown as it is."""
        offered = dict(labels)
        if opens or leaves:
            offered = {"": opens or leaves, **offered}
        if chosen not in offered:
            offered[chosen] = chosen
        told = notes or {}
        return Control(
            name,
            "select",
            label,
            chosen,
            [
                Choice(value, text, value == chosen, told.get(value, ""), is_placeholder=not value and bool(opens))
                for value, text in offered.items()
            ],
            is_structural=True,
            is_wrong=self.is_wrong(name),
        )

    def input(
        self,
        name: str,
        kind: str,
        value: Json,
        part: str = "",
        values_url: str = "",
        *,
        is_whole: bool = False,
        label: str = "",
    ) -> Control:
        return Control(
            name,
            kind,
            label or _("Value"),
            "" if value is None else value,
            is_wrong=self.is_wrong(name),
            values_url=values_url if kind == "text" else "",
            part=part,
            is_whole=is_whole,
        )

    def is_wrong(self, name: str) -> bool:
        return any(
            one.place == name or (is_at(name, one.place) and one.place.endswith("/value")) for one in self.problems
        )


def word(place: str, text: str) -> Control:
    return Control(place, "word", text)


def is_at(place: str, above: str) -> bool:
    return place == above or place.startswith(f"{above}/")


def by_value(labels: Mapping[Json, str]) -> dict[str, str]:
    return {key.value: label for key, label in labels.items()}


def values_url(**names: str) -> str:
    """Where common values of a trait, or of a property, are asked for."""
    return f"{reverse('segments:values')}?{urlencode(names)}" if all(names.values()) else ""
