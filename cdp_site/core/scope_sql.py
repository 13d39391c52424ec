"""What a user sees, as one statement.

It says what `visible_to` of each container says (a test compares them), and stands beside it because every request asks
all of them at once: as a union of those querysets, compiling and planning took thirty times as long as the answer.
"""

from functools import cache
from typing import Any, Final

from django.apps import apps
from django.db import connection
from psycopg import sql

SOURCE, EVENT_TYPE, GROUP, SENSITIVE, HIDDEN = "source", "event_type", "group", "sensitive", "hidden"

# Grants are of the user, of the department whose eyes it is, or, while somebody looks with another's, of their own.
_STATEMENT: Final = """
WITH grants AS MATERIALIZED (
    SELECT 'user' AS holder, c.model, g.object_pk::bigint AS id
      FROM guardian_userobjectpermission g
      JOIN auth_permission p ON p.id = g.permission_id
      JOIN django_content_type c ON c.id = g.content_type_id AND p.codename = 'view_' || c.model
     WHERE g.user_id = %(user)s
    UNION ALL
    SELECT CASE d.id WHEN %(department)s THEN 'department' ELSE 'own' END, c.model, g.object_pk::bigint
      FROM core_department d
      JOIN guardian_groupobjectpermission g ON g.group_id = d.group_id
      JOIN auth_permission p ON p.id = g.permission_id
      JOIN django_content_type c ON c.id = g.content_type_id AND p.codename = 'view_' || c.model
     WHERE d.id IN (%(department)s, %(own_department)s)
), groups AS MATERIALIZED (
    SELECT t.id, t.slug, t.is_sensitive,
           {sees_group}
           AND (NOT t.is_sensitive
                OR (t.id IN (SELECT id FROM grants WHERE holder = 'department' AND model = 'traitgroup')
                    AND (NOT %(is_stand_in)s OR coalesce(%(department)s = %(own_department)s, false)
                         OR t.id IN (SELECT id FROM grants WHERE holder = 'own' AND model = 'traitgroup'))))
           AS is_visible
      FROM {groups} t
)
SELECT 'group', slug FROM groups WHERE is_visible
UNION ALL
SELECT 'sensitive', slug FROM groups WHERE is_visible AND is_sensitive
UNION ALL
SELECT 'hidden', n.name FROM groups g JOIN {traits} n ON n.group_id = g.id WHERE NOT g.is_visible
UNION ALL
SELECT 'source', t.id::text FROM {sources} t WHERE NOT %(sees_all)s AND {sees_source}
UNION ALL
SELECT 'event_type', t.id::text FROM {event_types} t WHERE NOT %(sees_all)s AND {sees_event_type}
"""
_SEES: Final = """
(%(sees_all)s OR t.department_id IS NULL OR coalesce(t.department_id = %(department)s, false)
 OR t.id IN (SELECT id FROM grants WHERE holder IN ('user', 'department') AND model = {model}))
"""


def names(
    *, user: int | None, department: int | None, own_department: int | None, is_stand_in: bool, sees_all: bool
) -> list[tuple[str, str]]:
    """(kind, name) of all that is visible to this user, and the names of the traits that are not. One query.

    Args:
        user: None for somebody who looks with another's eyes: the own grants do not count then.
    """
    parameters: dict[str, Any] = {
        "user": user,
        "department": department,
        "own_department": own_department,
        "is_stand_in": is_stand_in,
        "sees_all": sees_all,
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(), parameters)
        found: list[tuple[str, str]] = cursor.fetchall()
    return found


@cache
def _statement() -> str:
    """The tables belong to apps above this one."""

    def table(label: str) -> sql.Identifier:
        return sql.Identifier(apps.get_model(label)._meta.db_table)

    def sees(model: str) -> sql.Composed:
        return sql.SQL(_SEES).format(model=sql.Literal(model))

    return (
        sql.SQL(_STATEMENT)
        .format(
            groups=table("profiles.TraitGroup"),
            traits=table("profiles.Trait"),
            sources=table("ingestion.Source"),
            event_types=table("profiles.EventType"),
            sees_group=sees("traitgroup"),
            sees_source=sees("source"),
            sees_event_type=sees("eventtype"),
        )
        .as_string(None)
    )
