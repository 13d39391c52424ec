"""What joins nobody, whatever a model has learned. Pure: no Django.

A model learns from some hundred pairs, and of a million people thousands share by chance what no two of its strangers
did: a given name and a birthday, a surname and a postcode. Over such evidence a person may be asked; no model joins.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from profiles.matching.comparable import COMMON_FIELDS, FAMILY_FIELDS, NAME_FIELDS

if TYPE_CHECKING:
    import numpy as np

SHARED_BY_MANY: Final = NAME_FIELDS | COMMON_FIELDS
SHARED_BY_FAMILY: Final = SHARED_BY_MANY | FAMILY_FIELDS

NAME_ONLY: Final = "name_only"
"""Nothing speaks for the two but names and what thousands share."""
FAMILY_ONLY: Final = "family_only"
"""Two given names, and nothing speaks for the two but what a family shares."""
OTHER_NAME: Final = "other_name"
"""Not the whole name agrees, and neither an id nor a phone, mailbox or home; of two wholly different names only an id
speaks for one person, or such a thing together with the birth date."""

OTHER_BELOW: Final = 0.3
"""Names less alike than this are two names."""
_SAME_DAY_FROM: Final = 0.95
_SAME_HOME_FROM: Final = 0.9  # the house as well, not the street alone


class Caps:
    """Of readings whose columns are these variables."""

    def __init__(self, names: Sequence[str]) -> None:
        import numpy as np  # comes with dedupe

        self._telling = np.array([name not in SHARED_BY_MANY for name in names])
        self._telling_in_family = np.array([name not in SHARED_BY_FAMILY for name in names])
        self._column = {name: place for place, name in enumerate(names)}

    def of(self, readings: "np.ndarray", evidence: "np.ndarray") -> dict[str, "np.ndarray"]:
        """Which pairs each cap holds down.

        Args:
            readings: likenesses, a row a pair and a column a variable; NaN where not known.
            evidence: the log-odds of the same.
        """
        given, family = readings[:, self._column["given"]], readings[:, self._column["family"]]
        speaks = evidence > 0
        speaks_for_one = speaks[:, self._telling_in_family].any(axis=1)
        return {
            NAME_ONLY: ~speaks[:, self._telling].any(axis=1),
            FAMILY_ONLY: (given < OTHER_BELOW) & ~speaks_for_one,
            OTHER_NAME: ~((given >= OTHER_BELOW) & (family >= OTHER_BELOW)) & ~self._is_enough(readings, speaks),
        }

    def _is_enough(self, readings: "np.ndarray", speaks: "np.ndarray") -> "np.ndarray":
        """Without the whole name."""

        def of(name: str) -> "np.ndarray":
            return readings[:, self._column[name]]

        def tells(name: str) -> "np.ndarray":
            return speaks[:, self._column[name]]

        reached = tells("phones") | tells("emails") | (tells("addresses") & (of("addresses") >= _SAME_HOME_FROM))
        born = tells("birth_dates") & (of("birth_dates") >= _SAME_DAY_FROM)
        is_another = (of("given") < OTHER_BELOW) & (of("family") < OTHER_BELOW)
        enough: np.ndarray = tells("ids") | (reached & (born | ~is_another))
        return enough
