"""What all customers together say of a word of the dictionary: how many bear it, how it is written in the other script.

Who stands in one system as พงศธร and in another as Pongsathon, and is one customer, tells how the name is written,
better than any rule of pronunciation could. Names that several such people bear in both scripts belong together.
"""

from django.db import connection

# What is off by half and by more than a few; a word that is being deleted is left alone.
_COUNT_BEARERS = """
UPDATE profiles_nametoken t
   SET bearers = counted.n
  FROM (SELECT t.id, coalesce(named.n, 0) AS n
          FROM profiles_nametoken t
          LEFT JOIN (SELECT token_id, count(*) AS n FROM profiles_recordname GROUP BY token_id) AS named
            ON named.token_id = t.id
         WHERE coalesce(named.n, 0) NOT BETWEEN t.bearers / 1.5 - 20 AND t.bearers * 1.5 + 20
           FOR NO KEY UPDATE OF t SKIP LOCKED) AS counted
 WHERE t.id = counted.id
"""
# A customer's first name in one script stands beside the last name in the other as well: those are few beside how
# often a word stands beside its own spelling.
_LEARN = """
WITH named AS MATERIALIZED (
    SELECT DISTINCT m.profile_id, t.id, ascii(t.token) BETWEEN %(first)s AND %(last)s AS is_thai
      FROM profiles_nametoken t
      JOIN profiles_recordname n ON n.token_id = t.id
      JOIN profiles_membership m ON m.record_id = n.record_id AND m.valid_to IS NULL
), pairs AS (
    SELECT a.id AS thai, b.id AS latin, count(*) AS people
      FROM named a JOIN named b USING (profile_id)
     WHERE a.is_thai AND NOT b.is_thai
     GROUP BY a.id, b.id HAVING count(*) >= %(least)s
), beside AS (
    SELECT thai, latin, people, max(people) OVER (PARTITION BY thai) AS of_thai,
           max(people) OVER (PARTITION BY latin) AS of_latin
      FROM pairs
), learned AS (
    SELECT w.id, array_agg(w.other ORDER BY w.other) AS spellings
      FROM beside CROSS JOIN LATERAL (VALUES (thai, latin), (latin, thai)) AS w(id, other)
     WHERE people >= %(share)s * of_thai AND people >= %(share)s * of_latin
     GROUP BY w.id
)
UPDATE profiles_nametoken t
   SET spellings = new.spellings
  FROM (SELECT t.id, coalesce(l.spellings, '{}') AS spellings
          FROM profiles_nametoken t LEFT JOIN learned l USING (id)
         WHERE t.spellings <> coalesce(l.spellings, '{}')
           FOR NO KEY UPDATE OF t SKIP LOCKED) AS new
 WHERE t.id = new.id
"""
_LEAST_PEOPLE = 3  # who bear a word in both scripts, for it to be a spelling and nobody's own
_LEAST_SHARE = 0.1  # of those beside whose word its commonest spelling stands
_FIRST_THAI, _LAST_THAI = 0x0E00, 0x0E7F


def count_bearers() -> None:
    """Write down about how many records bear each word (chore). One statement: some seconds for millions of records."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_BEARERS)


def learn() -> None:
    """Write down how words are written in the other script (chore). One statement: ten seconds for a million people."""
    numbers = {"first": _FIRST_THAI, "last": _LAST_THAI, "least": _LEAST_PEOPLE, "share": _LEAST_SHARE}
    with connection.cursor() as cursor:
        cursor.execute(_LEARN, numbers)
