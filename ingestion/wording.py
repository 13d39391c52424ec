"""What ingestion's screens say about a held-back message and about a time span, in the reader's language."""

from django.utils.translation import gettext as _

from cdp_site.core.errors import Text
from ingestion import details
from ingestion.messages import REASON_TEXTS
from ingestion.models import QuarantinedItem


def reason(code: str) -> Text:
    """Why messages are held back; a code that nobody has worded stands for itself."""
    return REASON_TEXTS.get(code, code)


def problem(code: str, detail: str) -> str:
    """Why a message cannot be used, with its detail."""
    told = details.told(detail)
    return f"{reason(code)}: {told}" if told else str(reason(code))


def place(item: QuarantinedItem, *, names_file: bool) -> str:
    """Where the message stood: a line of a file, or its number in what one request brought (counted from 1).

    A file's name may tell of a customer: it is left out for those who see no customer's identifiers."""
    if item.file_import is not None:
        line = f"{item.position:,}"
        if names_file:
            return _("Line %(line)s of %(file)s") % {"line": line, "file": item.file_import.file_name}
        return _("Line %(line)s of a file") % {"line": line}
    return _("Message %(number)s of batch %(batch)s") % {"number": f"{item.position + 1:,}", "batch": item.batch_id}


def span(seconds: float) -> str:
    """ "0.4 s", "12 s", "3 min 20 s", "2 h 5 min", "12 d 3 h"."""
    if seconds < 10:
        return _("%(n)s s") % {"n": f"{seconds:.1f}"}
    whole = round(seconds)
    if whole < 60:
        return _("%(n)s s") % {"n": whole}
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    days, hours = divmod(hours, 24)
    return _("%(days)s d %(hours)s h") % {"days": f"{days:,}", "hours": hours}
