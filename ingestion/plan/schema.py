"""What an event's properties have to be: a JSON Schema (draft 2020-12) of few keywords, and a fast check by it.

No pattern and no reference, so that a schema can neither run wild nor reach outside. `check` is compiled into plain
functions, since every message of a pinned event goes through it; `jsonschema` is the reference that a test holds it
against, and judges the form of a schema before it is pinned.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from ingestion.plan import names

TYPES: Final = ("string", "integer", "number", "boolean", "array", "object", "null")
FORMATS: Final = ("date", "date-time", "email")
KEYWORDS: Final = frozenset(
    {
        "type",
        "properties",
        "required",
        "enum",
        "const",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
        "items",
        "minItems",
        "maxItems",
        "additionalProperties",
        "format",
    }
)
_NOTES: Final = frozenset({"$schema", "title", "description"})
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_DEPTH: Final = 6
MAX_PROPERTIES: Final = 300  # of the whole schema
MAX_ENUM: Final = 200
_MAX_SHOWN: Final = 120  # characters of allowed values in a problem's text


class Problem(NamedTuple):
    """Why properties do not satisfy a schema. `path` names the property ("properties.products[].price"), `expected`
    says what was expected, in English; neither holds a value of the message."""

    path: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: {self.expected}"


class InvalidSchema(ValueError):
    """A schema that cannot be pinned. `path` is where in it, `problem` what is wrong, in English."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path
        self.problem = problem


Check = Callable[[Any], Problem | None]
_Test = Callable[[Any, str], Problem | None]


# --- the form of a schema -------------------------------------------------------------------------------------------


def validate(schema: Any) -> None:
    """Raises InvalidSchema unless the schema describes an object by KEYWORDS alone."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise InvalidSchema("", 'the whole has to be an object: {"type": "object", …}')
    left = [MAX_PROPERTIES]
    _validate(schema, "", 0, left)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidSchema(
            ".".join(str(part) for part in error.absolute_path), "not as JSON Schema wants it"
        ) from error


def _validate(schema: Any, path: str, depth: int, left: list[int]) -> None:
    if not isinstance(schema, dict):
        raise InvalidSchema(path, "an object of keywords is needed")
    if depth > MAX_DEPTH:
        raise InvalidSchema(path, f"nested deeper than {MAX_DEPTH} levels")
    unknown = sorted(set(schema) - KEYWORDS - _NOTES)
    if unknown:
        raise InvalidSchema(path, f"this keyword is not taken: {unknown[0]}")
    if schema.get("format", "date") not in FORMATS:
        raise InvalidSchema(path, f"format is one of {', '.join(FORMATS)}")
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise InvalidSchema(path, "additionalProperties is true or false")
    allowed = schema.get("enum", [])
    if not isinstance(allowed, list) or len(allowed) > MAX_ENUM or ("enum" in schema and not allowed):
        raise InvalidSchema(path, f"enum is a list of 1 to {MAX_ENUM} values")
    if any(isinstance(value, dict | list) for value in (*allowed, schema.get("const"))):
        raise InvalidSchema(path, "enum and const hold texts, numbers, true, false or null")
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise InvalidSchema(path, "properties is an object")
    left[0] -= len(properties)
    if left[0] < 0:
        raise InvalidSchema(path, f"more than {MAX_PROPERTIES} properties")
    for name, inner in properties.items():
        if names.shown(name) != name:
            raise InvalidSchema(path, f"a property's name has 1 to {names.MAX_PROPERTY} characters and is no data")
        _validate(inner, f"{path}.{name}" if path else name, depth + 1, left)
    if "items" in schema:
        _validate(schema["items"], f"{path}[]", depth + 1, left)


# --- the check ------------------------------------------------------------------------------------------------------


def compile_schema(schema: Mapping[str, Any]) -> Check:
    """The check by a valid schema: the first problem of an event's properties, or None. Always the same one first:
    what is missing, then by the schema's order, outside before inside."""
    test = _compile(schema)
    return lambda properties: test(properties, "properties")


def _compile(schema: Mapping[str, Any]) -> _Test:
    tests = [make(schema) for keyword, make in _MAKERS if keyword in schema]
    if len(tests) == 1:
        return tests[0]

    def test(value: Any, path: str) -> Problem | None:
        for one in tests:
            problem = one(value, path)
            if problem is not None:
                return problem
        return None

    return test


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS_TYPE: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _type(schema: Mapping[str, Any]) -> _Test:
    types = [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
    are = [_IS_TYPE[name] for name in types]
    expected = f"expected {' or '.join(types)}"
    if len(are) == 1:
        (is_one,) = are
        return lambda value, path: None if is_one(value) else Problem(path, expected)
    return lambda value, path: None if any(is_one(value) for is_one in are) else Problem(path, expected)


def _key(value: Any) -> tuple[str, Any]:
    """Equal for what JSON calls equal: 1 and 1.0, but not 1 and true."""
    return ("boolean" if isinstance(value, bool) else "other", value)


def _enum(schema: Mapping[str, Any]) -> _Test:
    allowed = {_key(value) for value in schema["enum"]}
    shown = ", ".join(_written(value) for value in schema["enum"])
    expected = f"expected one of {shown[:_MAX_SHOWN]}{'…' if len(shown) > _MAX_SHOWN else ''}"

    def test(value: Any, path: str) -> Problem | None:
        return None if not isinstance(value, dict | list) and _key(value) in allowed else Problem(path, expected)

    return test


def _const(schema: Mapping[str, Any]) -> _Test:
    wanted, expected = _key(schema["const"]), f"expected exactly {_written(schema['const'])[:_MAX_SHOWN]}"
    return lambda value, path: None if _key(value) == wanted else Problem(path, expected)


def _written(value: Any) -> str:
    return (
        {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
    )


def _bound(keyword: str, words: str, holds: Callable[[Any, Any], bool]) -> Callable[[Mapping[str, Any]], _Test]:
    def make(schema: Mapping[str, Any]) -> _Test:
        limit = schema[keyword]
        expected = f"expected {words} {limit}"
        return lambda value, path: None if not _is_number(value) or holds(value, limit) else Problem(path, expected)

    return make


def _size(
    keyword: str, words: str, unit: str, kind: type[str] | type[list[Any]], holds: Callable[[int, int], bool]
) -> Callable[[Mapping[str, Any]], _Test]:
    def make(schema: Mapping[str, Any]) -> _Test:
        limit = int(schema[keyword])
        expected = f"expected {words} {limit} {unit}"
        return lambda value, path: (
            None if not isinstance(value, kind) or holds(len(value), limit) else Problem(path, expected)
        )

    return make


def is_date(text: str) -> bool:
    try:
        return len(text) == 10 and text.isascii() and date.fromisoformat(text) is not None
    except ValueError:
        return False


def is_date_time(text: str) -> bool:
    """RFC 3339: with a time and a zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return text.isascii() and len(text) >= 20 and text[10] in "Tt " and moment.tzinfo is not None


def is_email(text: str) -> bool:
    """Of the form name@host, as jsonschema has it: a judgment of shape, not of deliverability."""
    return "@" in text


_IS_FORMAT: Final[Mapping[str, Callable[[str], bool]]] = {"date": is_date, "date-time": is_date_time, "email": is_email}


def _format(schema: Mapping[str, Any]) -> _Test:
    wanted, expected = _IS_FORMAT[schema["format"]], f"expected the format {schema['format']}"
    return lambda value, path: None if not isinstance(value, str) or wanted(value) else Problem(path, expected)


def _required(schema: Mapping[str, Any]) -> _Test:
    required: Sequence[str] = schema["required"]

    def test(value: Any, path: str) -> Problem | None:
        if isinstance(value, dict):
            for name in required:
                if name not in value:
                    return Problem(f"{path}.{names.shown(name)}", "required")
        return None

    return test


def _properties(schema: Mapping[str, Any]) -> _Test:
    inner = [(name, _compile(below)) for name, below in schema["properties"].items()]

    def test(value: Any, path: str) -> Problem | None:
        if isinstance(value, dict):
            for name, one in inner:
                if name in value and (problem := one(value[name], f"{path}.{name}")) is not None:
                    return problem
        return None

    return test


def _additional(schema: Mapping[str, Any]) -> _Test:
    known = frozenset(schema.get("properties", ())) if schema["additionalProperties"] is False else None

    def test(value: Any, path: str) -> Problem | None:
        if known is not None and isinstance(value, dict):
            for name in value:
                if name not in known:
                    return Problem(f"{path}.{names.shown(name)}", NOT_PLANNED)
        return None

    return test


NOT_PLANNED: Final = "not in the plan"


def _items(schema: Mapping[str, Any]) -> _Test:
    inner = _compile(schema["items"])

    def test(value: Any, path: str) -> Problem | None:
        if isinstance(value, list):
            below = f"{path}[]"
            for member in value:
                if (problem := inner(member, below)) is not None:
                    return problem
        return None

    return test


_MAKERS: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], _Test]], ...]] = (
    ("type", _type),
    ("required", _required),
    ("enum", _enum),
    ("const", _const),
    ("minimum", _bound("minimum", "at least", lambda value, limit: value >= limit)),
    ("maximum", _bound("maximum", "at most", lambda value, limit: value <= limit)),
    ("exclusiveMinimum", _bound("exclusiveMinimum", "more than", lambda value, limit: value > limit)),
    ("exclusiveMaximum", _bound("exclusiveMaximum", "less than", lambda value, limit: value < limit)),
    ("minLength", _size("minLength", "at least", "characters", str, lambda size, limit: size >= limit)),
    ("maxLength", _size("maxLength", "at most", "characters", str, lambda size, limit: size <= limit)),
    ("minItems", _size("minItems", "at least", "items", list, lambda size, limit: size >= limit)),
    ("maxItems", _size("maxItems", "at most", "items", list, lambda size, limit: size <= limit)),
    ("format", _format),
    ("properties", _properties),
    ("items", _items),
    ("additionalProperties", _additional),
)


# --- two versions ---------------------------------------------------------------------------------------------------


class Change(NamedTuple):
    """A difference between two schemas: a property, one of its keywords, what it was and is (None: not there)."""

    path: str
    keyword: str
    before: Any
    after: Any


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs, property by property; by path, then keyword."""
    old, new = dict(_facts(before, "")), dict(_facts(after, ""))
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return [Change(path, keyword, old.get((path, keyword)), new.get((path, keyword))) for path, keyword in changed]


def _facts(schema: Mapping[str, Any], path: str) -> list[tuple[tuple[str, str], Any]]:
    own = sorted(schema.keys() & KEYWORDS - {"properties", "items", "required"})
    facts: list[tuple[tuple[str, str], Any]] = [((path, keyword), schema[keyword]) for keyword in own]
    for name, inner in schema.get("properties", {}).items():
        below = f"{path}.{name}" if path else name
        facts.append(((below, "property"), True))
        facts += _facts(inner, below)
    for name in schema.get("required", ()):
        facts.append(((f"{path}.{name}" if path else name, "required"), True))
    if "items" in schema:
        facts += _facts(schema["items"], f"{path}[]")
    return facts
