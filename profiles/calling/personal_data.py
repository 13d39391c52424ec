"""Calls as a store of personal data: who called, and which facts the caller was asked for."""

from collections.abc import Mapping
from typing import ClassVar

from django.db import connection
from django.db.models import Q

from cdp_site.core.personal_data import register_holder
from profiles.models import Call, CallerCheck
from profiles.personal_data import RowsHolder


class CallHolder(RowsHolder):
    """Calls of the person, and those of the person's numbers that are nobody's yet."""

    name = "profiles.calls"
    tables: tuple[str, ...] = ("profiles.CallerCheck", "profiles.Call")
    rows: ClassVar = {
        "profiles.CallerCheck": lambda subject: CallerCheck.objects.filter(
            Q(profile__in=subject.profile_ids) | Q(record__in=subject.record_ids)
        ),
        "profiles.Call": lambda subject: Call.objects.filter(
            Q(profile__in=subject.profile_ids)
            | Q(record__in=subject.record_ids)
            | Q(profile=None, number_hash__in=subject.identifier_keys)
        ),
    }
    exported: ClassVar = {
        "profiles.Call": ("arrived_at", "ended_at", "verified_at", "last_four", "source__name"),
        "profiles.CallerCheck": ("at", "fact", "is_right"),
    }

    def reassign(self, moves: Mapping[int, int]) -> None:
        rows = sorted(moves.items())
        with connection.cursor() as cursor:
            for statement in (_MOVE_CALLS, _MOVE_CHECKS):
                cursor.execute(statement, [[record for record, _ in rows], [profile for _, profile in rows]])


_MOVE_CALLS = """
UPDATE profiles_call AS c SET profile_id = m.profile_id
  FROM unnest(%s::bigint[], %s::bigint[]) AS m(record_id, profile_id)
 WHERE c.record_id = m.record_id
"""
_MOVE_CHECKS = """
UPDATE profiles_callercheck AS c SET profile_id = m.profile_id
  FROM unnest(%s::bigint[], %s::bigint[]) AS m(record_id, profile_id)
 WHERE c.record_id = m.record_id
"""


def register() -> None:
    """Before the records and profiles of the person, with which the rows would go unseen."""
    register_holder(CallHolder(), order=298)
