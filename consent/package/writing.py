"""The copy as one zip: JSON and CSV for programs, HTML and PDF for people, in Thai and English. Nothing of it touches
the disk in the clear."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol

from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import override

from cdp_site.core.pdf import Paper
from cdp_site.core.personal_data import Subject
from cdp_site.core.templatetags.formats import moment_text
from consent.models import DataSubjectRequest
from consent.package.contents import Copy, as_data, gather, read_stores
from consent.package.parts import Column, Section
from profiles.models import Profile

LANGUAGES: Final = ("en", "th")
MOST_IN_PDF: Final = 100  # rows of one table that are drawn; the HTML and the JSON have them all
WIDEST: Final = 6  # columns of a table on paper; a wider one is a list of entries
_FORMULA: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_PHONE: Final = re.compile(r"\+[0-9]{6,15}")


class Sink(Protocol):
    def write(self, data: bytes) -> None: ...


class _Out(io.RawIOBase):
    """What zipfile writes to, front to back."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._sink.write(bytes(data))
        return len(data)


def write(sink: Sink, request: DataSubjectRequest, profile: Profile, subject: Subject) -> dict[str, int]:
    """Write the zip; returns table → rows that it accounts for."""
    counts: dict[str, int] = {}
    stores = read_stores(subject)
    with zipfile.ZipFile(_Out(sink), "w", zipfile.ZIP_DEFLATED) as archive:
        for language in LANGUAGES:
            with override(language):
                copy = gather(request, profile, subject, stores)
                if language == "en":
                    counts = copy.counts
                    archive.writestr("data.json", _as_json(copy))
                    for section in (*copy.sections, copy.inventory):
                        archive.writestr(f"csv/{_file_name(section)}.csv", _as_csv(section))
                archive.writestr(f"copy-{language}.html", as_html(copy, language))
                archive.writestr(f"copy-{language}.pdf", as_pdf(copy, language))
    return counts


def _file_name(section: Section) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", section.key).strip("-").lower()


def _as_json(copy: Copy) -> bytes:
    return json.dumps(as_data(copy), ensure_ascii=False, indent=2, default=str).encode()


def _as_csv(section: Section) -> bytes:
    """With the mark by which spreadsheets know UTF-8, and no cell that they would run."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow([column.key for column in section.columns])
    for row in section.rows:
        out.writerow([harmless(shown(row.get(column.key))) for column in section.columns])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def harmless(cell: str) -> str:
    """With an apostrophe before a sign that begins a formula (OWASP, CSV Injection); a phone number stays."""
    return f"'{cell}" if _FORMULA.match(cell) and not _PHONE.fullmatch(cell) else cell


def shown(value: Any) -> str:
    """A value of a row as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        return ", ".join(shown(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {shown(one)}" for name, one in value.items())
    return str(value)


def told(value: Any) -> str:
    """The same for people: moments in their calendar."""
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        with suppress(ValueError, OverflowError):  # a source may send a moment that never was
            return moment_text(datetime.fromisoformat(value))
    return shown(value)


def _intro(copy: Copy) -> list[str]:
    portable = copy.kind == DataSubjectRequest.Kind.PORTABILITY
    return [
        _("This is what you gave us and what was observed of your use, in a form that programs read (PDPA s.31).")
        if portable
        else _("This is everything that %(company)s knows about you (PDPA s.30).") % {"company": copy.company},
        _(
            "You may have it corrected, erased or its use restricted, object to it, and complain to the Personal Data"
            " Protection Committee. data.json and the folder csv hold the same for programs."
        ),
    ]


# --- HTML -----------------------------------------------------------------------------------------------------------

_STYLE: Final = (
    "body{font:16px/1.5 'IBM Plex Sans Thai',system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c2128}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;"
    "vertical-align:top;padding:.3rem .5rem;border-bottom:1px solid #cdd2d8;overflow-wrap:anywhere}"
    ".wide{overflow-x:auto}"
)


def as_html(copy: Copy, language: str) -> bytes:
    """One page that needs nothing else: no script, no other file, no other host."""
    title = _("Copy of your personal data")
    parts = [
        (
            f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        ),
        f"<p>{escape(copy.company)} · {escape(copy.reference)} · {escape(moment_text(copy.made_at))}</p>",
        *(f"<p>{escape(line)}</p>" for line in _intro(copy)),
        *(_html_section(section) for section in (*copy.sections, copy.inventory)),
        "</body></html>",
    ]
    return str(mark_safe("".join(parts))).encode()  # noqa: S308  # nosec B308 B703  each value above and below is escaped


def _html_section(section: Section) -> str:
    columns = _filled(section.columns, section.rows)
    if not columns:
        return ""
    head = "".join(f'<th scope="col">{escape(str(column.title))}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(told(row.get(column.key)))}</td>" for column in columns) + "</tr>"
        for row in section.rows
    )
    return (
        f'<h2>{escape(str(section.title))}</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


# --- PDF ------------------------------------------------------------------------------------------------------------


def as_pdf(copy: Copy, language: str) -> bytes:
    """The same on paper; of long tables the first rows."""
    paper = Paper(
        _("Copy of your personal data"), language, made_at=copy.made_at, footer=f"{copy.company} · {copy.reference}"
    )
    paper.small(moment_text(copy.made_at))
    for line in _intro(copy):
        paper.text(line)
    for section in (*copy.sections, copy.inventory):
        _draw(paper, section)
    return paper.bytes()


def _draw(paper: Paper, section: Section) -> None:
    columns = _filled(section.columns, section.rows)
    if not columns:
        return
    paper.heading(str(section.title), 2)
    rows = section.rows[:MOST_IN_PDF]
    if len(columns) <= WIDEST:
        cells = ([told(row.get(column.key)) for column in columns] for row in rows)
        paper.table([str(column.title) for column in columns], cells)
    else:
        for row in rows:
            paper.facts(
                (str(column.title), told(row.get(column.key))) for column in columns if shown(row.get(column.key))
            )
    if len(section.rows) > len(rows):
        paper.small(
            _("%(n)s more rows stand in the HTML page and in data.json.") % {"n": len(section.rows) - len(rows)}
        )


def _filled(columns: Iterable[Column], rows: Iterable[Mapping[str, Any]]) -> list[Column]:
    """The columns of which some row has a value."""
    known = list(rows)
    return [column for column in columns if any(shown(row.get(column.key)) for row in known)]
