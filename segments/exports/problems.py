"""What can come between a list and its asker."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cdp_site.core.errors import ConflictProblem, MendableError, Text

GAVE_UP, NOT_ALLOWED, GONE, STOPPED = "gave_up", "not_allowed", "gone", "stopped"

# Why a list failed, by the code that is kept with it.
FAILURES: Mapping[str, tuple[Text, Text]] = {
    "too_slow": (
        _("Choosing the members took too long: the definition reads too much."),
        _("Shorten the time windows, or add a condition on an attribute that leaves fewer people."),
    ),
    "hidden_fields": (
        _("The segment uses data that your department does not see, or that no longer exists."),
        _("Ask the department that wrote it."),
    ),
    "invalid_definition": (_("The segment's definition cannot be read."), _("Open it in the builder and save it.")),
    NOT_ALLOWED: (_("You may no longer export this segment."), _("Ask an administrator.")),
    GONE: (_("The segment was deleted before its list was made."), ""),
    GAVE_UP: (_("The list could not be made."), _("Ask for it once more; if it fails again, tell the administrator.")),
    STOPPED: (_("Somebody on the list was erased while it was made."), _("Ask for it once more.")),
}


def failure(code: str) -> tuple[Text, Text]:
    """Why a list failed, and what can be done about it."""
    return FAILURES.get(code, FAILURES[GAVE_UP])


class NotAllowedProblem(MendableError):
    code = NOT_ALLOWED


class GoneProblem(ConflictProblem):
    code = GONE


class FileGoneProblem(ConflictProblem):
    """The file is not there any more, or not yet."""

    code = "file_gone"

    def __init__(self) -> None:
        super().__init__(_("The file is no longer there."), hint=_("Ask for the list once more."))


class NarrowedProblem(ConflictProblem):
    """Who asked for it sees less today than when it was made."""

    code = "narrowed"

    def __init__(self) -> None:
        super().__init__(
            _("You may no longer see everything that is in this file."),
            hint=_("Ask for the list once more: it will hold what you see now."),
        )


class WithdrawnProblem(ConflictProblem):
    """Somebody on the list may no longer be written to; its file was removed."""

    code = "withdrawn"

    def __init__(self, people: int) -> None:
        super().__init__(
            ngettext(
                "%(n)d customer on the list may no longer be contacted. The file was removed.",
                "%(n)d customers on the list may no longer be contacted. The file was removed.",
                people,
            )
            % {"n": people},
            hint=_("Ask for the list once more: it will be without them."),
        )
