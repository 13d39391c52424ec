"""What memberships hear of: changes of people, and changes of what definitions lean on."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_delete

from consent.models import DataSubjectRequest, Purpose
from profiles import signals
from profiles.models import Profile
from segments import spellings
from segments.definition import nodes
from segments.definition.fields import property_names
from segments.membership import queue, refreshing, writing
from segments.membership.touches import Aspect, Touch, people_touched, tell
from segments.models import Segment, SegmentVersion, StaticList


def note(sender: object, *, touches: Sequence[Touch], **kwargs: Any) -> None:
    queue.put(touches)


_ERASING = frozenset(
    {DataSubjectRequest.Status.RUNNING, DataSubjectRequest.Status.PARTIAL, DataSubjectRequest.Status.COMPLETED}
)


def request_changed(sender: object, *, instance: DataSubjectRequest, **kwargs: Any) -> None:
    """Who has asked to be erased, or not to be used, is not reached from that moment on, and is again when that ends.
    Of whom is being erased nothing is noted any more: it would be left behind."""
    is_going = instance.kind == DataSubjectRequest.Kind.ERASURE and instance.status in _ERASING
    if instance.subject is not None and not is_going:
        people = Profile.objects.filter(public_id=instance.subject).values_list("pk", "redirect_to")
        found = {one for pair in people for one in pair if one is not None}
        tell([Touch(Aspect.ADDRESSES, found)])


def purpose_changed(sender: object, *, instance: Purpose, **kwargs: Any) -> None:
    """A purpose may have come to an end, or rest on another ground."""

    def leans_on(condition: nodes.Condition) -> bool:
        return (
            isinstance(condition, nodes.ConsentCondition | nodes.ReachableCondition)
            and condition.purpose == instance.slug
        )

    refreshing.ask(refreshing.leaning(leans_on))


def hear_words(sender: object, *, attributes: Collection[str], **kwargs: Any) -> None:
    """Words of the catalogue are other words for the same now, or no longer."""
    refreshing.ask(refreshing.leaning(lambda condition: _asks_for_words(condition, attributes)))


def hear_products(sender: object, *, has_changed: bool, attributes: Collection[str], **kwargs: Any) -> None:
    """Noted for the keeper: a digest must not wait for it."""
    queue.put_news([Aspect.PRODUCTS] * has_changed + [Aspect.WORDS] * bool(attributes))


def hear_everybody(sender: object, **kwargs: Any) -> None:
    refreshing.ask(list(Segment.objects.living().values_list("pk", flat=True)))


def _asks_for_words(condition: nodes.Condition, attributes: Collection[str]) -> bool:
    """A computed trait may be of any of the attributes."""
    if spellings.is_worded(condition):
        return True
    return not set(property_names(condition)).isdisjoint(attributes)


def list_changed(sender: object, *, instance: StaticList, **kwargs: Any) -> None:
    """Somebody was put on a list; whoever changes its members saves the list with its counts."""
    own = str(instance.pk)
    refreshing.ask(
        refreshing.leaning(lambda condition: isinstance(condition, nodes.ListCondition) and condition.list == own)
    )


def version_written(sender: object, *, instance: SegmentVersion, created: bool, **kwargs: Any) -> None:
    """A definition is another now: so is what the segments mean that ask for it. It is itself due by its version."""
    if created and instance.version > 1:
        refreshing.ask(refreshing.users_of(instance.segment_id))


def segment_going(sender: object, *, instance: Segment, **kwargs: Any) -> None:
    """Nobody writes down members of what is gone: an evaluation that is under way ends first."""
    writing.hold(instance.pk)


_HEARD: tuple[tuple[type[Model], Callable[..., None]], ...] = (
    (DataSubjectRequest, request_changed),
    (Purpose, purpose_changed),
    (StaticList, list_changed),
)


def connect() -> None:
    people_touched.connect(note, dispatch_uid="segments.membership.note")
    signals.words_said.connect(hear_words, dispatch_uid="segments.membership.words")
    signals.products_told.connect(hear_products, dispatch_uid="segments.membership.products")
    signals.everybody_touched.connect(hear_everybody, dispatch_uid="segments.membership.everybody")
    post_save.connect(version_written, sender=SegmentVersion, dispatch_uid="segments.membership.version")
    pre_delete.connect(segment_going, sender=Segment, dispatch_uid="segments.membership.going")
    for model, hear in _HEARD:
        name = f"segments.membership.{model.__name__}"
        post_save.connect(hear, sender=model, dispatch_uid=f"{name}.saved")
        post_delete.connect(hear, sender=model, dispatch_uid=f"{name}.deleted")
