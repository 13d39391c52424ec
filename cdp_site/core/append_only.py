"""Append-only tables, held by the database itself.

A trigger refuses UPDATE, DELETE and TRUNCATE. Tables about customers accept DELETE in the transaction of a running
erasure step, or of an import's revert with whose record they go, which says so by `SET LOCAL cdp.erasure_step`; the
audit never does.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.migrations import RunSQL

CREATE_FUNCTIONS = """
CREATE FUNCTION core_forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_ARGV[0] = 'erasable'
       AND coalesce(current_setting('cdp.erasure_step', true), '') <> '' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""
DROP_FUNCTIONS = "DROP FUNCTION core_forbid_change();"


def append_only(table: str, *, erasable: bool) -> RunSQL:
    """Migration operation that makes `table` append-only."""
    mode = "erasable" if erasable else "never"
    return RunSQL(
        f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION core_forbid_change('{mode}');
        CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION core_forbid_change('never');
        """,
        f"DROP TRIGGER append_only ON {table}; DROP TRIGGER append_only_truncate ON {table};",
    )


@contextmanager
def erasure_step(step: str) -> Iterator[None]:
    """Within: DELETE on erasable append-only tables is allowed, until the surrounding transaction ends or the block
    does. `step` names the running erasure step."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('cdp.erasure_step', %s, true)", [step])
        yield
        cursor.execute("SELECT set_config('cdp.erasure_step', '', true)")
