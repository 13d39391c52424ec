"""The papers of a breach: the report for the office, and the list of whom to write to."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.models import User
from cdp_site.core.pdf import Paper
from cdp_site.core.templatetags.formats import day_text
from consent import gate
from consent.breach import finding, leaks, recording
from consent.models import Breach, Channel, Purpose

# A spreadsheet that opens the file takes a cell that begins so for a formula; a phone number keeps its plus.
_FORMULA = ("=", "-", "@", "\t", "\r")


def document(breach: Breach) -> dict[str, Any]:
    """The report as data: what GDPR Art. 33(3) and the notice of the PDPC on s.37(4) ask for; no customer's data."""
    return {
        "type": "breach-report",
        "version": 1,
        "controller": settings.COMPANY_NAME,
        "id": str(breach.pk),
        "kind": breach.kind,
        "what": breach.what,
        "data": breach.data,
        "noticed_at": _time(breach.noticed_at),
        "due_at": _time(breach.due_at),
        "from": _time(breach.since),
        "to": _time(breach.until),
        "people": breach.affected,
        "lines_that_lead_to_nobody": breach.unmatched,
        "risk": breach.risk,
        "measures": breach.measures,
        "office_told_at": _time(breach.office_told_at),
        "people_told_at": _time(breach.people_told_at),
        "closed_at": _time(breach.closed_at),
    }


def paper(breach: Breach) -> bytes:
    """The same to be printed, in the reader's language."""
    made = Paper(_("Breach of personal data: report"), get_language() or "th", made_at=timezone.now())
    made.facts(
        [
            (_("Controller"), settings.COMPANY_NAME),
            (_("Breach"), breach.reference_text),
            (_("Noticed"), _said(breach.noticed_at)),
            (_("The office has to know by"), _said(breach.due_at)),
            (_("The office was told"), _said(breach.office_told_at)),
            (_("The people were told"), _said(breach.people_told_at)),
            (_("Risk"), str(breach.get_risk_display())),
            (_("What leaked"), str(leaks.of(breach.kind).title)),
            (_("In the wrong hands"), f"{_said(breach.since)} – {_said(breach.until)}"),
            (_("People affected"), f"{breach.affected:,}"),
        ]
    )
    for heading, text in (
        (_("What happened"), breach.what),
        (_("Which data"), breach.data),
        (_("What was done"), breach.measures),
        (_("Left to do"), ", ".join(recording.missing_of(breach))),
    ):
        made.heading(heading, 2)
        made.text(text or "–")
    return made.bytes()


@transaction.atomic
def start_list(breach: Breach, *, purpose: Purpose, channel: Channel, by: User) -> Iterator[bytes]:
    """The affected customers with the addresses that the gate lets through, as CSV; who has none stands there without.
    The audit says that it was taken."""
    audit.record(action="breach.export", target=breach, by=by, fields=[purpose.slug, str(channel)])
    return _list(breach, purpose, channel, by)


def _list(breach: Breach, purpose: Purpose, channel: Channel, by: User) -> Iterator[bytes]:
    people = finding.affected(breach, by=by)
    addresses: dict[int, list[str]] = {}
    for usable in gate.usable_addresses(people, purpose=purpose, channel=channel):
        addresses.setdefault(usable.profile_id, []).append(usable.address)
    yield _line("customer", str(channel))
    for pk, public_id in people.values_list("pk", "public_id").iterator(chunk_size=2000):
        for address in addresses.get(pk, [""]):
            yield _line(str(public_id), address)


def _line(*cells: str) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return written.getvalue().encode()


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def _said(value: Any) -> str:
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return f"{day_text(local)} {local:%H:%M}"
