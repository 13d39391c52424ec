"""Holder of what members of staff change, begin to write, and look at."""

from typing import ClassVar

from cdp_site.core.personal_data import register_holder
from profiles.models import AgentEdit, NoteDraft, Presence
from profiles.personal_data import RowsHolder


class EditingHolder(RowsHolder):
    """Changes and drafts hang on records and follow them; who looks just now is gone within minutes."""

    name = "profiles.editing"
    tables: tuple[str, ...] = ("profiles.AgentEdit", "profiles.NoteDraft", "profiles.Presence")
    rows: ClassVar = {
        "profiles.AgentEdit": lambda subject: AgentEdit.objects.filter(record__in=subject.record_ids),
        "profiles.NoteDraft": lambda subject: NoteDraft.objects.filter(record__in=subject.record_ids),
        "profiles.Presence": lambda subject: Presence.objects.filter(profile__in=subject.profile_ids),
    }
    exported: ClassVar = {
        "profiles.AgentEdit": ("at", "traits", "undone_at"),
        "profiles.NoteDraft": ("at", "text"),
    }


def register() -> None:
    """What hangs on records goes before them."""
    register_holder(EditingHolder(), order=299)
