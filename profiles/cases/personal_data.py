"""Where cases keep personal data."""

from collections.abc import Mapping
from typing import ClassVar

from django.db import connection

from cdp_site.core.personal_data import register_holder
from profiles.models import Case, CaseNote
from profiles.personal_data import RowsHolder

# With the notes, before the records that they sit on (profiles.personal_data).
ORDER = 302

_MOVE = """
UPDATE profiles_case AS c SET profile_id = m.profile_id
  FROM unnest(%s::bigint[], %s::bigint[]) AS m(record_id, profile_id)
 WHERE c.record_id = m.record_id
"""


class CaseHolder(RowsHolder):
    """What the person waited for, and what staff did about it. Steps go before their case."""

    name = "profiles.cases"
    tables: tuple[str, ...] = ("profiles.CaseNote", "profiles.Case")
    rows: ClassVar = {
        "profiles.CaseNote": lambda subject: CaseNote.objects.filter(case__record__in=subject.record_ids),
        "profiles.Case": lambda subject: Case.objects.filter(record__in=subject.record_ids),
    }
    exported: ClassVar = {
        "profiles.Case": ("subject", "status", "department__name", "opened_at", "follow_up_on", "closed_at"),
        "profiles.CaseNote": ("at", "act", "disposition", "text", "follow_up_on", "department__name"),
    }

    def reassign(self, moves: Mapping[int, int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [list(moves), list(moves.values())])


def register() -> None:
    register_holder(CaseHolder(), order=ORDER)
