"""What a merge would change beyond profiles: consent and segments add their part of the preview."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cdp_site.core.errors import Text


@dataclass(frozen=True)
class Effect:
    """One line of the preview, e.g. "e-mail marketing: granted → refused". `is_loss` marks what needs attention."""

    area: Text
    text: Text
    is_loss: bool = False


# Takes the groups of record ids as they are now, and as they would be.
Preview = Callable[[Sequence[frozenset[int]], Sequence[frozenset[int]]], list[Effect]]
_previews: list[Preview] = []


def register(preview: Preview) -> None:
    _previews.append(preview)


def effects(before: Sequence[frozenset[int]], after: Sequence[frozenset[int]]) -> list[Effect]:
    """All registered previews in the order of registration."""
    return [effect for preview in _previews for effect in preview(before, after)]
