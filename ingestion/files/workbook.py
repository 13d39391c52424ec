"""XLSX workbooks: one sheet as CSV in UTF-8, made once when the file arrives.

The workbook is opened in a process of its own (`sheet_program`) with a limit of memory and time.
"""

import json
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from cdp_site.core.errors import InternalError
from ingestion.files.codes import FileCode
from ingestion.files.problems import FileProblem

PROGRAM: Final = Path(__file__).with_name("sheet_program.py")
READ_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that is being read: its name, all sheets of the workbook, and its rows as CSV."""

    name: str
    names: tuple[str, ...]
    csv: Iterator[bytes]


def open_sheet(workbook: Iterable[bytes], *, size: int, name: str = "") -> Sheet:
    """The sheet of this name, or the first that has anything on it. Raises FileProblem, also while it is read.

    Args:
        workbook: its bytes, `size` in all.
    """
    if size > settings.IMPORT_WORKBOOK_MEMORY // 4:
        raise FileProblem(FileCode.SHEET_TOO_LARGE)
    lines = _program(workbook, name)
    try:
        told = json.loads(next(lines))
    except (StopIteration, ValueError) as error:
        raise FileProblem(FileCode.SHEET_TOO_LARGE) from error
    if "problem" in told:
        lines.close()
        raise FileProblem(FileCode(told["problem"]))
    return Sheet(told["sheet"], tuple(told["sheets"]), lines)


def _program(workbook: Iterable[bytes], name: str) -> Generator[bytes]:
    """First the line of JSON, then the CSV in pieces. Raises FileProblem when the program was refused its memory."""
    limits = (settings.IMPORT_WORKBOOK_MEMORY, settings.IMPORT_WORKBOOK_SECONDS)
    command = [sys.executable, "-I", str(PROGRAM), *map(str, limits), name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
    ) as process:
        try:
            if process.stdin is None or process.stdout is None:
                raise InternalError("a program without pipes")
            with suppress(BrokenPipeError), process.stdin as pipe:
                for data in workbook:
                    pipe.write(data)
            yield process.stdout.readline()
            while data := process.stdout.read(READ_BYTES):
                yield data
            if process.wait():
                raise FileProblem(FileCode.SHEET_TOO_LARGE)
        finally:
            process.kill()
