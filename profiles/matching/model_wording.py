"""What is said of models and their training, in words."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core.errors import Text

PHASES: Final[Mapping[str, Text]] = {
    "pool": gettext_lazy("Choosing records to learn from"),
    "pairs": gettext_lazy("Comparing their pairs"),
    "weights": gettext_lazy("Learning what counts"),
    "rules": gettext_lazy("Learning which records to compare"),
    "measures": gettext_lazy("Measuring"),
    "file": gettext_lazy("Writing the model"),
}


def problem(found: Mapping[str, Any]) -> str:
    """Why a model could not be trained: what is missing, with its numbers."""
    values = {name: number for name, number in found.items() if name != "code"}
    match found["code"]:
        case "too_few_labels":
            text = _("%(have)s pairs have been judged; at least %(need)s are needed.")
        case "one_sided_labels":
            text = _(
                "%(same)s pairs have been judged to be one person and %(different)s to be different people; "
                "at least %(need)s of each are needed."
            )
        case "no_blocked_pairs":
            text = _("Among %(records)s records no two have anything in common that matching could begin with.")
        case _other:
            text = _("Training stopped again and again without an end.")
    return text % values


def remedy(code: str) -> str:
    """Where to get what is missing."""
    match code:
        case "too_few_labels":
            return _("Judge more pairs in the review, then train again.")
        case "one_sided_labels":
            return _(
                "A model learns from both kinds: judge more pairs in the review; new ones are looked for as you go."
            )
        case "no_blocked_pairs":
            return _(
                "Matching needs names with a second fact: a phone number, an e-mail address, a birth date or an "
                "address. Look whether a source's mapping leaves them out."
            )
        case _other:
            return _("Train again; when it stops again, ask whoever runs the platform to look into the log.")
