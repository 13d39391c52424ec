"""The data map as CSV, one line for each column, and as a paper."""

import csv
import io

from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cdp_site.core.pdf import Paper
from consent.data_map.activities import MEASURES, RIGHTS, WHOSE
from consent.data_map.document import DataMap, Part

COLUMNS = (
    "activity", "purpose", "ground", "law", "whose", "recipients", "table", "column", "type", "class", "kept",
    "erased_by",
)  # fmt: skip


def as_csv(found: DataMap) -> bytes:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for part in found.parts:
        one = part.activity
        head = [one.title, one.purpose, one.ground, one.law, WHOSE[one.whose], one.recipients]
        for table in part.tables:
            for field in table.fields:
                erased = " ".join(table.holders)
                rows.writerow([*head, table.name, field.column, field.type, field.kind, field.kept, erased])
    # The mark tells a spreadsheet that the Thai in it is UTF-8.
    return written.getvalue().encode("utf-8-sig")


def as_pdf(found: DataMap) -> bytes:
    """The record of processing in the reader's language: activities and tables; columns stand in the other files."""
    paper = Paper(_("Record of processing"), get_language() or "th", made_at=timezone.now())
    paper.facts(
        [
            (_("Controller"), settings.COMPANY_NAME),
            (_("Rights of the people, and how to use them"), str(RIGHTS)),
            (_("How data is secured"), str(MEASURES)),
            (_("Requests refused"), ", ".join(f"{ground}: {n}" for ground, n in found.refusals.items()) or "0"),
        ]
    )
    for part in found.parts:
        _write(paper, part)
    return paper.bytes()


def _write(paper: Paper, part: Part) -> None:
    one = part.activity
    paper.heading(str(one.title))
    paper.facts(
        [
            (_("Purpose"), str(one.purpose)),
            (_("Ground"), f"{one.ground} ({one.law})"),
            (_("Whose data"), str(WHOSE[one.whose])),
            (_("Given to"), str(one.recipients)),
            (_("Categories of data"), ", ".join(part.categories) or "–"),
        ]
    )
    rows = [[str(table.title), table.name, str(table.kept)] for table in part.tables]
    rows += [[str(store.what), store.place, str(kept)] for store, kept in part.files]
    if rows:
        paper.table([_("What is kept"), _("Table or folder"), _("Kept how long")], rows)
