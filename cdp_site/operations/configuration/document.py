"""The file: written, read, compared with the database, taken over."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from cdp_site.core import audit
from cdp_site.core.models import User
from cdp_site.operations.configuration.sections import BY_NAME, SECTIONS, FixedError, Row, Section, all_states

VERSION: Final = 1


class ConfigurationProblem(Exception):
    """The file cannot be taken over; says where and why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`here` is None for what is only in the file, `there` for what is only in the database."""

    section: str
    name: str
    here: Row | None
    there: Row | None

    def lines(self) -> Iterator[str]:
        if self.here is None or self.there is None:
            yield f"{'+' if self.here is None else '-'} {self.section} {self.name}"
            return
        for field, stated in self.there.items():
            if self.here.get(field) != stated:
                yield f"~ {self.section} {self.name}: {field} {_short(self.here.get(field))} → {_short(stated)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def export() -> str:
    """The configuration as JSON: the same configuration gives the same text."""
    sections = {section.name: states for section, states in all_states()}
    return json.dumps({"version": VERSION, "configuration": sections}, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> dict[str, list[Row]]:
    """The sections of a file, each row whole. Raises ConfigurationProblem."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationProblem("This is no JSON.") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ConfigurationProblem(f"This is no configuration of version {VERSION}.")
    stated = document.get("configuration")
    if not isinstance(stated, dict):
        raise ConfigurationProblem("The file has no configuration.")
    if unknown := sorted(stated.keys() - BY_NAME.keys()):
        raise ConfigurationProblem(f"There is no section {unknown[0]!r}.")
    return {name: list(_rows(BY_NAME[name], rows)) for name, rows in stated.items()}


def _rows(section: Section, rows: Any) -> Iterator[Row]:
    if not isinstance(rows, list):
        raise ConfigurationProblem(f"{section.name} is no list.")
    known = {*section.key, *section.fields}
    for number, row in enumerate(rows, start=1):
        where = f"{section.name}, row {number}"
        if not isinstance(row, dict) or not row.keys() >= set(section.key):
            raise ConfigurationProblem(f"{where}: it needs {', '.join(section.key)}.")
        if unknown := sorted(row.keys() - known):
            raise ConfigurationProblem(f"{where}: there is no field {unknown[0]!r}.")
        yield row


def _name(section: Section, row: Row) -> str:
    return " ".join(str(row[name]) for name in section.key)


def compare(text: str) -> list[Difference]:
    """What would be created or changed by the file, and what it does not speak of. Raises ConfigurationProblem."""
    stated = read(text)
    found = []
    for section, states in all_states():
        if section.name not in stated:
            continue
        here = {_name(section, row): row for row in states}
        there = {_name(section, row): row for row in stated[section.name]}
        for name in sorted(here.keys() | there.keys()):
            mine, theirs = here.get(name), there.get(name)
            if mine is None or theirs is None or any(mine[field] != value for field, value in theirs.items()):
                found.append(Difference(section.name, name, mine, theirs))
    return found


@transaction.atomic
def take_over(text: str, *, by: User | str) -> tuple[int, int]:
    """Create and change what the file says, all of it or nothing; returns how many rows were created and changed. Each
    is audited. Raises ConfigurationProblem."""
    stated = read(text)
    created = changed = 0
    for section in SECTIONS:
        rows = stated.get(section.name, [])
        for wanted in sorted(rows, key=lambda row: bool(row.get(section.switch))) if section.switch else rows:
            was_there, fields = _take(section, wanted, by)
            created += not was_there
            changed += was_there and bool(fields)
    return created, changed


def _take(section: Section, wanted: Row, by: User | str) -> tuple[bool, list[str]]:
    where = f"{section.name} {_name(section, wanted)}"
    try:
        before = section.find(wanted)
        row, fields = section.write(before, wanted)
    except FixedError as error:
        raise ConfigurationProblem(f"{where}: it is there already and says something else ({error}).") from error
    except LookupError as error:
        raise ConfigurationProblem(f"{where}: {error} is not there.") from error
    except ValidationError as error:
        raise ConfigurationProblem(f"{where}: {' '.join(error.messages)}") from error
    except (TypeError, ValueError) as error:
        raise ConfigurationProblem(f"{where}: a value is of the wrong kind.") from error
    if before is None or fields:
        verb = "create" if before is None else "change"
        audit.record(action=f"configuration.{verb}", target=row, by=by, fields=fields)
    return before is not None, fields
