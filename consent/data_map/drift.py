"""Comparing the data map with the tables and columns that the database really has."""

from dataclasses import dataclass

from django.db import connection

from consent.data_map.document import DataMap

_COLUMNS = """
SELECT c.table_name, c.column_name
  FROM information_schema.columns c
  JOIN information_schema.tables t USING (table_schema, table_name)
 WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """`unmapped`: in the database and not on the map, as "table.column"; `missing`: the other way round."""

    unmapped: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not (self.unmapped or self.missing)


def compare(found: DataMap) -> Drift:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        real = {f"{table}.{column}" for table, column in cursor.fetchall()}
    described = [table for part in found.parts for table in part.tables]
    mapped = {f"{table.name}.{field.column}" for table in described for field in table.fields}
    return Drift(tuple(sorted(real - mapped)), tuple(sorted(mapped - real)))
