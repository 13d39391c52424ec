"""What Ctrl-K finds: each app adds a section; pages and actions are found by their titles in either language."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from cdp_site.core import navigation
from cdp_site.core.access import Permission
from cdp_site.core.errors import Text
from cdp_site.core.marking import Piece, pieces
from cdp_site.core.models import User
from cdp_site.core.registry import Registry

MOST_PAGES = 8


@dataclass(frozen=True, slots=True)
class Item:
    """Somewhere to go. `detail`: what else tells it from others of the name."""

    name: Sequence[Piece]
    url: str
    icon: str  # id in static/vendor/icons/sprite.svg
    detail: Sequence[Piece] = ()


@dataclass(frozen=True)
class Section:
    """`find` is given what is typed, empty at first, and answers with the best few; it hides what the user may not
    see."""

    key: str
    title: Text
    order: int
    permission: Permission
    find: Callable[[str, User], Sequence[Item]]


@dataclass(frozen=True)
class Action:
    """A page where something begins: found by its title, and by further words in either language."""

    key: str
    title: Text
    url_name: str
    icon: str
    permission: Permission
    words: str = ""
    order: int = 0


_sections = Registry[Section]("palette section")
_actions = Registry[Action]("palette action")
register, register_actions = _sections.register, _actions.register


def find(text: str, *, by: User) -> list[tuple[Text, Sequence[Item]]]:
    """(title, items) of each section that has any, in order; actions and pages last."""
    sections = _sections.open_to(by)
    found: list[tuple[Text, Sequence[Item]]] = [(section.title, section.find(text, by)) for section in sections]
    found += [(_("Actions"), _found_actions(text, by)), (_("Pages"), _pages(text, by))]
    return [(title, items) for title, items in found if items]


def _found_actions(text: str, by: User) -> list[Item]:
    return [
        Item(pieces(str(action.title), text), reverse(action.url_name), action.icon)
        for action in _actions.open_to(by)
        if _is_meant(text, action.title, action.words)
    ]


def _pages(text: str, by: User) -> list[Item]:
    return [
        Item(pieces(str(entry.title), text), reverse(entry.url_name), entry.icon)
        for entry in navigation.entries_for(by)
        if _is_meant(text, entry.title)
    ][:MOST_PAGES]


def _is_meant(text: str, title: Text, words: str = "") -> bool:
    """Whether every word of the text begins or stands in a title, whatever language the page is in."""
    known = words.casefold()
    for language, _name in settings.LANGUAGES:
        with override(language):
            known += f" {title}".casefold()
    return all(word in known for word in text.casefold().split())
