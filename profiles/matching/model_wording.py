"""What is said of models and their training, in words."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cdp_site.core.errors import Text
from profiles.matching import lifecycle

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
            return _("A model learns from both kinds: judge more pairs in the review; more are looked for as you go.")
        case "no_blocked_pairs":
            return _(
                "Matching needs names with a second fact: a phone number, an e-mail address, a birth date or an "
                "address. Look whether a source's mapping leaves them out."
            )
        case _other:
            return _("Train again; when it stops again, ask whoever runs the platform to look into the log.")


def few_labels(labels: Mapping[str, int]) -> str:
    """What is missing to take a model into use without a reason."""
    same = labels.get("same", 0)
    return _(
        "%(judged)s pairs have been judged, %(same)s of them to be one person. Before a model is taken into use, "
        "%(wanted)s with %(wanted_same)s are asked for: with fewer it finds little, and its measures say little."
    ) % {
        "judged": same + labels.get("different", 0),
        "same": same,
        "wanted": lifecycle.LEAST_LABELS,
        "wanted_same": lifecycle.LEAST_SAME,
    }


def search_result(found: Mapping[str, Any]) -> str:
    """What the last search for questions has found."""
    number = found["training"] + found["held_out"]
    if number:
        text = ngettext(
            "The last search put %(n)d pair into the review.",
            "The last search put %(n)d pairs into the review.",
            number,
        )
        return text % {"n": number}
    if found["records"] < 2:
        return _("There are no customers yet that could be compared.")
    return _("No further pair was found that would teach a model anything.")
