"""The library's list: which shelf of it, which folder, and which words an address asks for."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from segments.models import Segment, SegmentFolder
from segments.querysets import SegmentQuerySet

LOOSE = "none"  # in place of a folder's number: what lies in none


class Shelf(TextChoices):
    """`all` is what is in use; the archive is apart from it."""

    ALL = "", _("All")
    MINE = "mine", _("Mine")
    SHARED = "shared", _("Shared with us")
    ARCHIVED = "archived", _("Archive")


@dataclass(frozen=True, slots=True)
class Choice:
    """`folder` is None for every folder, `LOOSE` for what lies in none."""

    shelf: Shelf
    folder: SegmentFolder | str | None
    words: str

    @property
    def narrows(self) -> bool:
        """Whether anything but everything in use was asked for."""
        return self.shelf is not Shelf.ALL or self.folder is not None or bool(self.words)

    @property
    def folder_key(self) -> str:
        """As it stands in the address."""
        return str(self.folder.pk) if isinstance(self.folder, SegmentFolder) else self.folder or ""


def read(query: Mapping[str, str], *, by: User) -> Choice:
    """What an address asks for; what there is not is not asked for. One query at most."""
    shelf, folder = query.get("shelf", ""), query.get("folder", "")
    return Choice(
        shelf=Shelf(shelf) if shelf in Shelf.values else Shelf.ALL,
        folder=LOOSE if folder == LOOSE else _folder(folder, by),
        words=query.get("q", "").replace("\x00", "").strip()[:100],
    )


def _folder(text: str, by: User) -> SegmentFolder | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return None
    found: SegmentFolder | None = SegmentFolder.objects.visible_to(by).filter(pk=int(text)).first()
    return found


def segments(choice: Choice, *, by: User) -> SegmentQuerySet:
    """What lies there of what the user sees, the last changed first, with what a list shows of each."""
    seen = Segment.objects.visible_to(by)
    found: SegmentQuerySet = seen.archived() if choice.shelf is Shelf.ARCHIVED else seen.living()
    match choice.shelf:
        case Shelf.MINE:
            found = found.of_owner(by)
        case Shelf.SHARED:
            found = found.of_others(by)
    if isinstance(choice.folder, SegmentFolder):
        found = found.in_folder(choice.folder.pk)
    elif choice.folder == LOOSE:
        found = found.in_no_folder()
    return found.with_words(choice.words.split()).select_related("department", "folder", "owner").newest_first()
