"""A schema as a table of properties, and back. Pure.

The table says what most schemas need; what it cannot say (a nested limit, a union of types) is kept as it stands in the
schema that the table was made from.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ingestion.plan import schema as schemas

# What the table offers as a property's type: JSON Schema's types, and formats of texts.
ANY, OTHER = "any", "other"
KINDS: Final = ("string", "integer", "number", "boolean", "date", "date-time", "email", "array", "object", ANY)
_SIZED: Final[Mapping[str, tuple[str, str]]] = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
}
_OURS: Final = frozenset(
    {"type", "format", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
)
_NESTING: Final = frozenset({"properties", "required", "items"})


@dataclass(frozen=True, slots=True)
class Row:
    """A property as the table shows it. `path` like "products[].price"; `allowed` one value a line; `low` and `high`
    limit a number, or the size of a text or list. `kind` OTHER: a type that the table cannot say, kept as it is."""

    path: str
    kind: str = "string"
    is_required: bool = False
    may_be_empty: bool = False
    allowed: str = ""
    low: str = ""
    high: str = ""


class BadCell(ValueError):
    """A cell that says nothing usable: of which row, which column."""

    def __init__(self, row: int, column: str) -> None:
        super().__init__(f"{row}: {column}")
        self.row = row
        self.column = column


# --- from a schema --------------------------------------------------------------------------------------------------


def rows_of(schema: Mapping[str, Any], prefix: str = "") -> list[Row]:
    """The rows of an object's schema, each property before what is within it."""
    rows: list[Row] = []
    required = set(schema.get("required", ()))
    for name, inner in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        rows.append(_row(path, inner, is_required=name in required))
        rows += rows_of(inner, f"{path}.")
        rows += rows_of(inner.get("items", {}), f"{path}[].")
    return rows


def _row(path: str, schema: Mapping[str, Any], *, is_required: bool) -> Row:
    stated = schema.get("type", [])
    types = [stated] if isinstance(stated, str) else list(stated)
    plain = [name for name in types if name != "null"]
    kind = ANY if not plain else plain[0] if len(plain) == 1 else OTHER
    low, high = _SIZED.get(kind, ("", ""))
    if kind == "string" and "format" in schema:
        kind = schema["format"]
    return Row(
        path=path,
        kind=kind,
        is_required=is_required,
        may_be_empty="null" in types,
        allowed="\n".join(_written(value) for value in schema.get("enum", []) if value is not None),
        low=_written(schema[low]) if low in schema else "",
        high=_written(schema[high]) if high in schema else "",
    )


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# --- to a schema ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    own: dict[str, Any]
    properties: "dict[str, _Node]" = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    items: "_Node | None" = None

    def schema(self) -> dict[str, Any]:
        made = dict(self.own)
        if self.properties:
            made["properties"] = {name: node.schema() for name, node in self.properties.items()}
        if self.required:
            made["required"] = sorted(self.required)
        if self.items is not None:
            made["items"] = self.items.schema()
        return made


def schema_of(rows: Sequence[Row], *, base: Mapping[str, Any], is_closed: bool) -> dict[str, Any]:
    """The schema that the rows say; keywords that the table does not know come from `base`. Rows without a name are
    left out. Raises BadCell.

    Args:
        is_closed: properties that the table does not name are refused.
    """
    root = _Node({"type": "object"} | ({"additionalProperties": False} if is_closed else {}))
    for number, row in enumerate(rows):
        if row.path.strip():
            _place(root, row, number, base)
    return root.schema()


def _place(root: _Node, row: Row, number: int, base: Mapping[str, Any]) -> None:
    node = root
    parts = row.path.strip().split(".")
    if any(not part.removesuffix("[]") for part in parts) or parts[-1].endswith("[]"):
        raise BadCell(number, "path")
    for part in parts[:-1]:
        name = part.removesuffix("[]")
        node = node.properties.setdefault(name, _Node({"type": "array" if part.endswith("[]") else "object"}))
        if part.endswith("[]"):
            node.items = node.items or _Node({"type": "object"})
            node = node.items
    known = node.properties.get(parts[-1])
    own = _own(row, number, _found(base, parts))
    if known is None:
        node.properties[parts[-1]] = _Node(own)
    else:
        known.own = own
    if row.is_required and parts[-1] not in node.required:
        node.required.append(parts[-1])
    below = _found(base, parts).get("items")
    if row.kind == "array" and isinstance(below, dict) and "properties" not in below:
        node.properties[parts[-1]].items = _Node(copy.deepcopy(below))


def _found(schema: Mapping[str, Any], parts: Iterable[str]) -> Mapping[str, Any]:
    """The schema of a property within another; empty when it has none."""
    node: Any = schema
    for part in parts:
        node = node.get("properties", {}).get(part.removesuffix("[]"), {})
        node = node.get("items", {}) if part.endswith("[]") else node
    return node if isinstance(node, dict) else {}


def _own(row: Row, number: int, base: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: value for key, value in base.items() if key not in _OURS | _NESTING}
    if row.kind == OTHER:
        own |= {key: value for key, value in base.items() if key in _OURS}
        return own
    kind = "string" if row.kind in schemas.FORMATS else row.kind
    if kind not in KINDS:
        raise BadCell(number, "kind")
    if kind != ANY:
        own["type"] = [kind, "null"] if row.may_be_empty else kind
    if row.kind in schemas.FORMATS:
        own["format"] = row.kind
    allowed = [line.strip() for line in row.allowed.splitlines() if line.strip()]
    if allowed:
        own["enum"] = [_typed(text, kind, number) for text in allowed] + [None] * row.may_be_empty
    low, high = _SIZED.get(kind, ("", ""))
    for text, keyword, column in ((row.low, low, "low"), (row.high, high, "high")):
        if text.strip():
            own[keyword] = _limit(text.strip(), kind, number, column) if keyword else _refuse(number, column)
    return own


def _typed(text: str, kind: str, number: int) -> Any:
    if kind in ("integer", "number"):
        return _number(text, kind, number, "allowed")
    if kind == "boolean":
        return text == "true" if text in ("true", "false") else _refuse(number, "allowed")
    return text if kind in ("string", ANY) else _refuse(number, "allowed")


def _limit(text: str, kind: str, number: int, column: str) -> Any:
    value = _number(text, "number" if kind == "number" else "integer", number, column)
    return value if kind in ("integer", "number") or value >= 0 else _refuse(number, column)


def _number(text: str, kind: str, number: int, column: str) -> Any:
    try:
        value = float(text.replace(",", ""))
    except ValueError as error:
        raise BadCell(number, column) from error
    if not abs(value) <= 1e15 or (kind == "integer" and not value.is_integer()):
        raise BadCell(number, column)
    return int(value) if value.is_integer() else value


def _refuse(number: int, column: str) -> Any:
    raise BadCell(number, column)
