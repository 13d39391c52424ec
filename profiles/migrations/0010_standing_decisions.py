"""Whether a decision of the log stands, for queries that pick links by it: as `evidence.withdrawn` says."""

from django.db import migrations

# A withdrawal that is withdrawn withdraws nothing, and so on: each undo of an undo is one step more. Plain SQL, by the
# index of `withdraws`.
CREATE = """
CREATE FUNCTION profiles_decision_stands(decision bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT NOT EXISTS (SELECT FROM profiles_linkdecision w
                        WHERE w.withdraws_id = decision AND profiles_decision_stands(w.id))
$$
"""
DROP = "DROP FUNCTION profiles_decision_stands(bigint)"


class Migration(migrations.Migration):
    dependencies = [("profiles", "0009_matching")]

    operations = [migrations.RunSQL(CREATE, DROP)]
