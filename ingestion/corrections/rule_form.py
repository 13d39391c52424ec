"""The form of a correction rule: rows of what a person chose and typed, and the definition they make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core.errors import Text
from ingestion.corrections import rules
from ingestion.corrections.rules import InvalidRule, Kind, RuleCode, Verb
from ingestion.plan import names

VERBS: Final[Mapping[str, Text]] = {
    Verb.RENAME: gettext_lazy("Rename a field"),
    Verb.CAST: gettext_lazy("Change its type"),
    Verb.MAP: gettext_lazy("Replace values"),
    Verb.DEFAULT: gettext_lazy("Fill in where empty"),
    Verb.DROP: gettext_lazy("Drop a field"),
}
KINDS: Final[Mapping[str, Text]] = {
    Kind.TEXT: gettext_lazy("text"),
    Kind.NUMBER: gettext_lazy("number"),
    Kind.BOOLEAN: gettext_lazy("yes or no"),
    Kind.DATE: gettext_lazy("date"),
    Kind.TIME: gettext_lazy("date and time"),
}
# What a default can be: a date is written as text.
DEFAULT_KINDS: Final[Mapping[str, Text]] = {kind: KINDS[kind] for kind in (Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN)}
PROBLEMS: Final[Mapping[RuleCode, Text]] = {
    RuleCode.FORM: gettext_lazy("This is no rule that can be read."),
    RuleCode.NO_STEPS: gettext_lazy("Say at least one thing that is to be changed."),
    RuleCode.TOO_MANY: gettext_lazy("At most 20 steps; make a second rule for the rest."),
    RuleCode.VERB: gettext_lazy("Choose what is to be done."),
    RuleCode.FIELD: gettext_lazy("Name the field, such as properties.price or properties.products[].price."),
    RuleCode.KEPT_FIELD: gettext_lazy("This field tells one message from another; it stays as it came."),
    RuleCode.TARGET: gettext_lazy("Name the new field, such as properties.price."),
    RuleCode.LISTS: gettext_lazy("Both names have to lie in the same list, and neither may end with []."),
    RuleCode.KIND: gettext_lazy("Choose a type."),
    RuleCode.VALUES: gettext_lazy("Write one replacement on each line: what came = what it becomes."),
    RuleCode.VALUE: gettext_lazy("Give the value to fill in, of the type that is chosen."),
}
NEVER_NAMED: Final = gettext_lazy("Give the rule a name.")


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as it stands on the screen."""

    number: int
    do: str = Verb.RENAME
    field: str = ""
    to: str = ""
    kind: str = Kind.NUMBER
    values: str = ""
    value: str = ""
    problem: Text | None = None

    def step(self) -> dict[str, Any]:
        said: dict[str, Any] = {"do": self.do, "field": self.field}
        match self.do:
            case Verb.RENAME:
                return said | {"to": self.to}
            case Verb.CAST:
                return said | {"to": self.kind}
            case Verb.MAP:
                return said | {"values": _replacements(self.values)}
            case Verb.DEFAULT:
                return said | {"value": _value(self.value, self.kind)}
        return said


@dataclass(frozen=True, slots=True)
class RuleForm:
    """`event` "" means every event of the source; `is_always`: on every message, not only on what cannot be used."""

    name: str = ""
    event: str = ""
    is_always: bool = False
    steps: tuple[StepRow, ...] = (StepRow(0),)
    problem: Text | None = None
    verbs: Mapping[str, Text] = field(default_factory=lambda: VERBS)
    kinds: Mapping[str, Text] = field(default_factory=lambda: KINDS)
    default_kinds: Mapping[str, Text] = field(default_factory=lambda: DEFAULT_KINDS)

    def definition(self) -> dict[str, Any]:
        return {"version": rules.VERSION, "steps": [row.step() for row in self.steps]}

    def checked(self) -> "RuleForm":
        """With its problems, where they are; without any when it can be saved."""
        try:
            rules.parse(self.definition())
        except InvalidRule as invalid:
            if invalid.step is None:
                return replace(self, problem=PROBLEMS[invalid.code])
            rows = list(self.steps)
            rows[invalid.step] = replace(rows[invalid.step], problem=PROBLEMS[invalid.code])
            return replace(self, steps=tuple(rows), problem=_("Step %(n)s is not complete.") % {"n": invalid.step + 1})
        return self

    def with_step(self) -> "RuleForm":
        return replace(self, steps=(*self.steps, StepRow(len(self.steps))))

    def without_step(self, number: int) -> "RuleForm":
        kept = [row for row in self.steps if row.number != number]
        return replace(self, steps=tuple(replace(row, number=n) for n, row in enumerate(kept)))


def of_post(post: QueryDict) -> RuleForm:
    """What was sent; fields that a verb does not have on the screen keep their first choice."""
    n = post.get("steps", "")
    rows = [
        StepRow(
            number=number,
            do=post.get(f"do-{number}", ""),
            field=post.get(f"field-{number}", "").strip(),
            to=post.get(f"to-{number}", "").strip(),
            kind=post.get(f"kind-{number}", Kind.NUMBER),
            values=post.get(f"values-{number}", ""),
            value=post.get(f"value-{number}", "").strip(),
        )
        for number in range(min(int(n) if n.isdecimal() else 0, rules.MAX_STEPS + 1))
    ]
    return RuleForm(
        name=post.get("name", "").strip()[:100],
        event=post.get("for_event", "")[:100],
        is_always=post.get("is_always") == "1",
        steps=tuple(rows),
    )


def of_definition(definition: Mapping[str, Any], *, name: str, event: str, is_always: bool) -> RuleForm:
    """A saved rule on the screen."""
    rows = tuple(_row(number, step) for number, step in enumerate(definition["steps"]))
    return RuleForm(name=name, event=event, is_always=is_always, steps=rows)


def _row(number: int, step: Mapping[str, Any]) -> StepRow:
    row = StepRow(number, do=step["do"], field=step["field"])
    match step["do"]:
        case Verb.RENAME:
            return replace(row, to=step["to"])
        case Verb.CAST:
            return replace(row, kind=step["to"])
        case Verb.MAP:
            lines = [f"{came} = {_shown(becomes)}" for came, becomes in step["values"].items()]
            return replace(row, values="\n".join(lines))
        case Verb.DEFAULT:
            value = step["value"]
            is_number = isinstance(value, int | float)
            kind = Kind.BOOLEAN if isinstance(value, bool) else Kind.NUMBER if is_number else Kind.TEXT
            return replace(row, value=_shown(value), kind=kind)
    return row


def _shown(value: Any) -> str:
    return "" if value is None else str(rules.as_text(value))


def _replacements(text: str) -> dict[str, Any]:
    """One on each line, "what came = what it becomes"; nothing behind the sign empties the field."""
    found: dict[str, Any] = {}
    for line in text.splitlines():
        came, sign, becomes = line.partition("=")
        if sign and came.strip():
            found[came.strip()] = becomes.strip() or None
        elif line.strip():
            return {}
    return found


def _value(text: str, kind: str) -> Any:
    """The typed value; None when the text is none of that type."""
    if kind in (Kind.NUMBER, Kind.BOOLEAN):
        cast = rules.as_number(text) if kind == Kind.NUMBER else rules.as_boolean(text)
        return cast if isinstance(cast, int | float) else None
    return text or None


# --- in words -------------------------------------------------------------------------------------------------------


def sentences(definition: Mapping[str, Any]) -> list[str]:
    """What a rule does, one sentence a step, in the reader's language."""
    return [_sentence(step) for step in definition["steps"]]


def _sentence(step: Mapping[str, Any]) -> str:
    match step["do"]:
        case Verb.RENAME:
            return _("%(field)s is called %(to)s") % {"field": step["field"], "to": step["to"]}
        case Verb.CAST:
            return _("%(field)s becomes: %(kind)s") % {"field": step["field"], "kind": KINDS[step["to"]]}
        case Verb.MAP:
            shown = [f"{came} → {_shown(becomes) or '–'}" for came, becomes in list(step["values"].items())[:4]]
            more = ["…"] if len(step["values"]) > len(shown) else []
            return _("%(field)s: %(values)s") % {"field": step["field"], "values": ", ".join(shown + more)}
        case Verb.DEFAULT:
            return _("%(field)s, where empty, is %(value)s") % {"field": step["field"], "value": _shown(step["value"])}
    return _("%(field)s is dropped") % {"field": step["field"]}


# --- fields to choose from ------------------------------------------------------------------------------------------

MOST_FIELDS: Final = 200


def fields_in(messages: Iterable[Any]) -> list[str]:
    """Paths that these decoded messages have, for suggestions; names that look like data are left out."""
    found: dict[str, None] = {}
    for message in messages:
        stack: list[tuple[str, Any, int]] = [("", message, 0)]
        while stack and len(found) < MOST_FIELDS:
            path, node, depth = stack.pop()
            for name, value in node.items() if isinstance(node, dict) else ():
                below = f"{path}.{name}" if path else name
                if names.shown(name) != name or "." in name or depth >= rules.MAX_DEPTH - 1:
                    continue
                found[below] = None
                if isinstance(value, dict):
                    stack.append((below, value, depth + 1))
                elif isinstance(value, list):
                    stack += [(f"{below}[]", member, depth + 1) for member in value[:3] if isinstance(member, dict)]
    return sorted(found)
