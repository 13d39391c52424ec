"""The person that a request is about, as the holders of personal data find them."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet

from cdp_site.core import hashing
from cdp_site.core.personal_data import Subject
from consent.contacts import HARMLESS, PUBLIC_KEY
from ingestion.normalise.traits import names_of
from ingestion.suppression import RECORD, Erased, Key
from profiles.models import Identifier, Membership, Profile, SourceRecord, SourceRecordVersion


def find(public_id: UUID) -> Subject | None:
    """Everybody who is one person with this profile now: the whole component, whichever of its ids was asked for.

    None when the profile does not exist (any more). Six queries.
    """
    asked = Profile.objects.filter(public_id=public_id).first()
    if asked is None:
        return None
    anchor = asked.redirect_to_id or asked.pk
    record_ids = tuple(
        Membership.objects.filter(profile=anchor, valid_to__isnull=True)
        .order_by("record_id")
        .values_list("record_id", flat=True)
    )
    own = Q(pk=anchor) | Q(redirect_to=anchor) | Q(birth_record__in=record_ids)
    return _subject(Profile.objects.filter(own), record_ids)


def born_as(public_ids: Iterable[UUID]) -> Subject:
    """The person whose records have these profiles as their birth profiles, whoever they belong to now."""
    profiles = Profile.objects.filter(public_id__in=list(public_ids))
    records = SourceRecord.objects.filter(birth_profile__in=profiles).order_by("pk")
    return _subject(profiles, tuple(records.values_list("pk", flat=True)))


def _subject(rows: "QuerySet[Profile]", record_ids: tuple[int, ...]) -> Subject:
    profiles = list(rows.order_by("pk").values_list("pk", "public_id"))
    keys = {(one.kind, one.namespace, one.value) for one in _identifiers(record_ids)} | set(_record_keys(record_ids))
    return Subject(
        profile_ids=tuple(pk for pk, _public_id in profiles),
        record_ids=record_ids,
        public_ids=tuple(public_id for _pk, public_id in profiles),
        identifier_keys=frozenset(
            hashing.identifier_key(*key, key_id=key_id) for key in keys for key_id in hashing.key_ids()
        ),
    )


def erased_identifiers(subject: Subject) -> list[Erased]:
    """What must keep the person out after the erasure. An identifier that is hidden, junk or malformed names nobody;
    one that others hold too, or that only a browser stated, proves nothing alone."""
    others = Identifier.objects.filter(
        kind=OuterRef("kind"), namespace=OuterRef("namespace"), value=OuterRef("value")
    ).exclude(record__in=subject.record_ids)
    stated = _identifiers(subject.record_ids).filter(problem__in=(*HARMLESS, PUBLIC_KEY))
    found = [
        Erased(one.kind, one.namespace, one.value, is_shared=one.held_by_others or one.problem == PUBLIC_KEY)
        for one in stated.annotate(held_by_others=Exists(others))
    ]
    return found + [Erased(*key) for key in _record_keys(subject.record_ids)]


def names(subject: Subject) -> set[str]:
    """Full names that the records state or have ever stated."""
    attributes = [
        *SourceRecord.objects.filter(pk__in=subject.record_ids).values_list("attributes", flat=True),
        *SourceRecordVersion.objects.filter(record__in=subject.record_ids).values_list("attributes", flat=True),
    ]
    return {name.full for stated in attributes for name in names_of(stated)}


def _identifiers(record_ids: Iterable[int]) -> "QuerySet[Identifier]":
    return Identifier.objects.filter(record__in=record_ids).order_by("pk")


def _record_keys(record_ids: Iterable[int]) -> list[Key]:
    """The records' own ids; those of agent records are ours and arrive by no door."""
    records = SourceRecord.objects.filter(pk__in=record_ids).exclude(kind=SourceRecord.Kind.AGENT)
    return [(RECORD, slug, external_id) for slug, external_id in records.values_list("source__slug", "external_id")]


class _Sealed(msgspec.Struct):
    """A subject at rest, while its erasure runs."""

    profile_ids: tuple[int, ...]
    record_ids: tuple[int, ...]
    public_ids: tuple[UUID, ...]
    identifier_keys: frozenset[bytes]


def seal(subject: Subject) -> bytes:
    """The ids encrypted: they must be kept until the erasure has ended, and be of no use to anybody else."""
    plain = _Sealed(subject.profile_ids, subject.record_ids, subject.public_ids, subject.identifier_keys)
    return hashing.seal(msgspec.json.encode(plain))


def unseal(token: bytes) -> Subject:
    plain = msgspec.json.decode(hashing.unseal(token), type=_Sealed)
    return Subject(plain.profile_ids, plain.record_ids, plain.public_ids, plain.identifier_keys)
