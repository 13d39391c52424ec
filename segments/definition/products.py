"""What is known of a product, as SQL: what the touchpoint or the line of an order says itself, else the catalogue.

`persons` says the same in memory. A product is found by the number that its source gave it.
"""

from collections.abc import Mapping, Sequence

from psycopg import sql

from segments.definition import nodes
from segments.definition.compare import JsonValue, is_unknown, matches
from segments.definition.evaluate import Moment
from segments.definition.nodes import Operator

SQL = sql.SQL

# What stands on a line itself; the sku is the number of the product, by whichever name a source called it.
_LINE_COLUMNS: Mapping[str, JsonValue] = {
    name: JsonValue.of_column(column)
    for name, column in {
        "sku": "l.sku",
        "product_id": "l.sku",
        "name": "l.name",
        "category": "l.category",
        "color": "l.color",
        "coupon": "l.coupon",
        "price": "l.unit_price",
        "list_price": "l.list_price",
        "quantity": "l.quantity",
    }.items()
}
_PRODUCT_COLUMNS: Mapping[str, Sequence[JsonValue]] = {
    "name": (JsonValue.of_column("c.name"), JsonValue.of_column("c.name_th")),
    "category": (JsonValue.of_column("c.category"),),
}
OF_CATALOGUE = SQL(
    " LEFT JOIN ingestion_source s ON s.id = o.source_id LEFT JOIN profiles_product c "
    "ON c.namespace = s.slug AND c.sku = l.sku AND l.sku <> ''"
)
# A variant's own number comes before that of all its variants.
_NUMBER = SQL("coalesce({})").format(
    SQL(", ").join(
        SQL(
            "CASE jsonb_typeof(t.properties -> {name}) WHEN 'string' THEN nullif(t.properties ->> {name}, '') "
            "WHEN 'number' THEN trim_scale((t.properties -> {name})::numeric)::text END"
        ).format(name=name)
        for name in nodes.PRODUCT_NUMBERS
    )
)
_PRODUCT = SQL("s.id = t.source_id AND c.namespace = s.slug AND c.sku = {}").format(_NUMBER)
SAID_OF_PRODUCT = SQL(
    "((c.attributes || jsonb_strip_nulls(jsonb_build_object("
    "'name', nullif(c.name || c.name_th, ''), 'category', nullif(c.category, '')))) - {}::text[])"
).format(sorted(nodes.NOT_OF_CATALOGUE))
"""What the catalogue says of a product `c` and nobody else knows better, by name; its names run together."""
HAS_CATALOGUE = SQL("(SELECT EXISTS (SELECT FROM profiles_product))")
"""Asked before any row is, not of each: where there is no catalogue, nothing is looked for in it."""


def line_value(name: str) -> JsonValue:
    """A property of a line: what the order says, else what the catalogue says."""
    if name in nodes.NOT_OF_CATALOGUE:
        return _LINE_COLUMNS[name]
    return _LINE_COLUMNS[name].otherwise(_told(name)) if name in _LINE_COLUMNS else _told(name)


def touchpoint_value(name: str) -> JsonValue:
    """A property of a touchpoint `t`: what it says, else what the catalogue says."""
    own = JsonValue.of_key("t.properties", name)
    if name in nodes.NOT_OF_CATALOGUE:
        return own
    return JsonValue.of(
        SQL("CASE WHEN {asks} THEN ({told}) ELSE {own} END").format(
            asks=_asks_catalogue(own), told=_of_its_product(_told(name).json), own=own.json
        )
    )


def passes(one: nodes.PropertyFilter, moment: Moment) -> sql.Composable:
    """Whether a touchpoint `t` passes a filter: true, or false or NULL where it does not.

    That is what the filter says of `touchpoint_value`, written so that a touchpoint that says it itself is looked at as
    if there were no catalogue."""
    own = JsonValue.of_key("t.properties", one.property)
    itself = matches(own, one.comparison, moment)
    if one.property in nodes.NOT_OF_CATALOGUE:
        return itself
    told = _of_its_product(matches(_told(one.property), one.comparison, moment))
    if one.comparison.operator is Operator.UNKNOWN:
        return SQL("({} AND (NOT {} OR coalesce(({}), true)))").format(itself, HAS_CATALOGUE, told)
    return SQL("({} OR ({} AND ({})))").format(itself, _asks_catalogue(own), told)


def said_of_its_product() -> sql.Composed:
    """What the catalogue says of the product of a touchpoint `t`, as one object; NULL for none."""
    return SQL("({})").format(_of_its_product(SAID_OF_PRODUCT))


def _told(name: str) -> JsonValue:
    """What the catalogue says of a product `c`."""
    found = JsonValue.of_key("c.attributes", name)
    for column in reversed(_PRODUCT_COLUMNS.get(name, ())):
        found = column.otherwise(found)
    return found


def _asks_catalogue(own: JsonValue) -> sql.Composable:
    return SQL("({} AND {})").format(HAS_CATALOGUE, is_unknown(own))


def _of_its_product(what: sql.Composable) -> sql.Composed:
    return SQL("SELECT {} FROM profiles_product c, ingestion_source s WHERE {}").format(what, _PRODUCT)
