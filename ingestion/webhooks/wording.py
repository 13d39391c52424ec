"""What the screens say about a webhook, in the reader's language."""

from django.utils.translation import gettext as _

from cdp_site.core.errors import Text
from cdp_site.core.outgoing import FAULT_TEXTS


def relay_problem(code: str) -> Text:
    """Why the chatbot has not taken a report; empty when it has."""
    if code.startswith("status-"):
        return _("It answered with status %(status)s.") % {"status": code.removeprefix("status-")}
    return FAULT_TEXTS.get(code, code)
