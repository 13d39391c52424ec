"""The form by which an event is pinned: a table of properties, and the JSON Schema behind it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core.errors import Text
from ingestion.plan import schema, table
from ingestion.plan.schema import InvalidSchema
from ingestion.plan.table import BadCell, Row

MOST_ROWS: Final = 120
KINDS: Final[Mapping[str, Text]] = {
    "string": gettext_lazy("text"),
    "integer": gettext_lazy("whole number"),
    "number": gettext_lazy("number"),
    "boolean": gettext_lazy("yes or no"),
    "date": gettext_lazy("date"),
    "date-time": gettext_lazy("date and time"),
    "email": gettext_lazy("e-mail address"),
    "array": gettext_lazy("list"),
    "object": gettext_lazy("object"),
    table.ANY: gettext_lazy("anything"),
    table.OTHER: gettext_lazy("several (as in the JSON)"),
}
_COLUMNS: Final[Mapping[str, Text]] = {
    "path": gettext_lazy("the name cannot be used"),
    "kind": gettext_lazy("choose a type"),
    "allowed": gettext_lazy("the allowed values do not fit the type"),
    "low": gettext_lazy("the lower limit does not fit the type"),
    "high": gettext_lazy("the upper limit does not fit the type"),
}


@dataclass(frozen=True, slots=True)
class PlanForm:
    """`base` is the schema that the table was made from; `text` the JSON in its box, as it was typed."""

    rows: tuple[Row, ...]
    is_closed: bool
    base: Mapping[str, Any]
    text: str
    problem: str = ""
    kinds: Mapping[str, Text] = field(default_factory=lambda: KINDS)

    @property
    def base_text(self) -> str:
        return json.dumps(self.base, ensure_ascii=False)

    def definition(self) -> dict[str, Any]:
        """The schema as the table has it. Raises InvalidSchema, BadCell."""
        made = table.schema_of(self.rows, base=self.base, is_closed=self.is_closed)
        schema.validate(made)
        return made

    def with_row(self) -> "PlanForm":
        return replace(self, rows=(*self.rows, Row("")))

    def without_row(self, number: int) -> "PlanForm":
        return replace(self, rows=tuple(row for n, row in enumerate(self.rows) if n != number))

    def checked(self) -> "PlanForm":
        """With the JSON that the table makes, or with what is wrong in it."""
        try:
            return replace(self, text=_pretty(self.definition()))
        except BadCell as bad:
            name = self.rows[bad.row].path or f"{bad.row + 1}"
            return replace(self, problem=_("%(property)s: %(what)s") % {"property": name, "what": _COLUMNS[bad.column]})
        except InvalidSchema as invalid:
            return replace(self, problem=str(invalid))


def of_schema(definition: Mapping[str, Any]) -> PlanForm:
    return PlanForm(
        rows=tuple(sorted(table.rows_of(definition), key=lambda row: row.path)),  # jsonb keeps no order of its own
        is_closed=definition.get("additionalProperties") is False,
        base=definition,
        text=_pretty(definition),
    )


def of_post(post: QueryDict) -> PlanForm:
    """The table as it was sent."""
    n = post.get("rows", "")
    rows = tuple(
        Row(
            path=post.get(f"path-{number}", "").strip()[:300],
            kind=post.get(f"kind-{number}", "string"),
            is_required=f"required-{number}" in post,
            may_be_empty=f"empty-{number}" in post,
            allowed=post.get(f"allowed-{number}", ""),
            low=post.get(f"low-{number}", ""),
            high=post.get(f"high-{number}", ""),
        )
        for number in range(min(int(n) if n.isdecimal() else 0, MOST_ROWS))
    )
    base = _decoded(post.get("base", "")) or {"type": "object"}
    return PlanForm(rows=rows, is_closed="closed" in post, base=base, text=post.get("json", ""))


def of_json(form: PlanForm) -> PlanForm:
    """The table of what was typed as JSON; with the problem when it is no schema that can be taken."""
    definition = _decoded(form.text)
    if definition is None:
        return replace(form, problem=_("The JSON cannot be read."))
    try:
        schema.validate(definition)
    except InvalidSchema as invalid:
        return replace(form, problem=str(invalid))
    return of_schema(definition)


def _decoded(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _pretty(definition: Mapping[str, Any]) -> str:
    return json.dumps(definition, ensure_ascii=False, indent=2)
