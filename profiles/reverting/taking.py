"""What is taken back, and who takes part in it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Taking:
    """`operation_id` names the operation, `by_operation` what is written instead of it. `lifts_denials`: refusals that
    it brought go, too, although that opens a permission."""

    operation_id: UUID
    by_operation: UUID
    by: str
    lifts_denials: bool


class Part(Protocol):
    """What an upper app hangs on records and takes back with them."""

    def foresee(self, operation_id: UUID) -> Mapping[str, int]:
        """What there is to take back, by kind."""

    def holds(self, record_ids: Collection[int], taking: Taking) -> set[int]:
        """Records on which something of others hangs: they must not vanish."""

    def take_back(self, record_ids: Collection[int], vanishing: Collection[int], taking: Taking) -> Mapping[str, int]:
        """Withdraw what the operation said about these records, of the vanishing ones everything; what was done, by
        kind. Before the records change, in their transaction."""

    def forget(self, operation_ids: Collection[UUID]) -> None:
        """These operations cannot be taken back any more."""


_parts: list[Part] = []


def register(part: Part) -> None:
    _parts.append(part)


def parts() -> list[Part]:
    return list(_parts)


def rows(statement: str, parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def execute(statement: str, parameters: Any) -> int:
    """How many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
