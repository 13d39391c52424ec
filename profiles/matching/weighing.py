"""What spoke for and against in the model's eyes, as bars: one line a field, from the middle to the right for one
person, to the left for two. Read from the evidence that decisions and pairs keep: names of fields and weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text

WIDTH = 200  # of the drawing: the middle is at half of it
_SMALLEST = 3.0  # a bar of that many log-odds and more fills its half only when no other is longer

LABELS: Mapping[str, Text] = {
    "given": _("Given name"),
    "family": _("Family name"),
    "names": _("Full name"),
    "people": _("Name"),
    "birth_dates": _("Birth date"),
    "phones": _("Phone"),
    "emails": _("E-mail"),
    "ids": _("Numbers of one person"),
    "addresses": _("Address"),
    "postcodes": _("Postcode"),
    "places": _("Town or province"),
    "gender": _("Gender"),
    "name_only": _("A name alone is not enough"),
    "family_only": _("Another given name: perhaps one family"),
    "other_name": _("Not the whole name agrees, and nothing that only this person has"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A line. `x` and `width` are in units of the drawing, `text` is the weight with its sign."""

    label: Text
    weight: float
    x: float
    width: float

    @property
    def text(self) -> str:
        return f"{self.weight:+.1f}".replace("-", "−")

    @property
    def speaks_for(self) -> bool:
        return self.weight > 0


@dataclass(frozen=True, slots=True)
class Weighing:
    """`prior`: what is thought of any two records that are compared; `percent`: how sure the model was in the end."""

    prior: Bar
    bars: Sequence[Bar]
    percent: float | None
    model: int | None


def weigh(evidence: Mapping[str, Any], score: float | None) -> Weighing | None:
    """None when no model has weighed anything."""
    if "prior" not in evidence:
        return None
    fields = [(str(name), float(weight)) for name, weight in evidence.get("fields", ())]
    prior = float(evidence["prior"])
    longest = max(_SMALLEST, abs(prior), *(abs(weight) for _name, weight in fields), 0)

    def bar(label: Text, weight: float) -> Bar:
        width = round(abs(weight) / longest * WIDTH / 2, 1)
        return Bar(label, weight, x=WIDTH / 2 if weight > 0 else WIDTH / 2 - width, width=width)

    return Weighing(
        prior=bar(_("Before anything is compared"), prior),
        bars=[bar(LABELS.get(name, name), weight) for name, weight in fields],
        percent=None if score is None else 100 * score,
        model=evidence.get("model"),
    )
