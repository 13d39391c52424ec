"""What computed traits hear of: changes of people, and changes of what the words of a catalogue mean."""

from collections.abc import Collection, Sequence
from typing import Any

from cdp_site.core.access import EVERYTHING
from profiles.signals import Touch, everybody_touched, people_touched, products_told, words_said
from segments.models import ComputedTrait
from segments.traits import keeping, reading


def note(sender: object, *, touches: Sequence[Touch], **kwargs: Any) -> None:
    keeping.note(touches)


def hear_words(sender: object, *, attributes: Collection[str], **kwargs: Any) -> None:
    """Other words mean the same now: a trait whose conditions name such a property may pick others."""
    for known in reading.seen(EVERYTHING).known if attributes else ():
        if not known.formula.properties.isdisjoint(attributes):
            keeping.ask_everybody(known.trait)


def hear_products(sender: object, *, has_changed: bool, attributes: Collection[str], **kwargs: Any) -> None:
    """Noted for the keeper: a digest must not wait for it. Few pieces of a feed bring new words."""
    if has_changed:
        keeping.note_products()
    hear_words(sender, attributes=attributes)


def hear_everybody(sender: object, **kwargs: Any) -> None:
    for trait in ComputedTrait.objects.in_use():
        keeping.ask_everybody(trait)


def connect() -> None:
    people_touched.connect(note, dispatch_uid="segments.traits.note")
    words_said.connect(hear_words, dispatch_uid="segments.traits.words")
    products_told.connect(hear_products, dispatch_uid="segments.traits.products")
    everybody_touched.connect(hear_everybody, dispatch_uid="segments.traits.everybody")
