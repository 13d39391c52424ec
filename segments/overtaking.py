"""Two pages that write the same thing: whoever saves later is told before they write over what was saved earlier."""

import hashlib

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import ConflictProblem


class OvertakenProblem(ConflictProblem):
    code = "overtaken"

    def __init__(self) -> None:
        super().__init__(
            _("Somebody has saved this since you opened it."),
            hint=_("Look at what it says now; if you save yours all the same, it becomes the newest version."),
        )


def edition(*written: object) -> str:
    """What people write of a thing, as one word for the form that they write in: another word tells that somebody has
    saved it meanwhile."""
    return hashlib.blake2b(repr(written).encode(), digest_size=8).hexdigest()


def refuse(seen: str | None, stands: str) -> None:
    """Raises OvertakenProblem where another edition stands than the one that was seen; None: whatever stands."""
    if seen is not None and seen != stands:
        raise OvertakenProblem
