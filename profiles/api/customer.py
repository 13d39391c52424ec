"""A customer for programs: what is known, as the reader may see it, and the parts that upper apps add."""

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import serializers

from cdp_site.core.access import scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from cdp_site.core.rest_shapes import PROBLEM_DETAIL, shape
from cdp_site.core.templatetags.formats import masked
from profiles import masking, overview
from profiles.api import parts
from profiles.api.answers import RECORD
from profiles.identified import LONGEST
from profiles.models import Profile
from profiles.naming import shown_name
from profiles.overview import texts_of

RECORDS = "records"
KINDS = Profile.Kind.values
"""Named in the API's description (settings.SPECTACULAR_SETTINGS)."""

_TRAITS = "The golden record within your scope, direct identifiers masked unless you may see them."


def names_of_parts() -> list[str]:
    """What `include` may name."""
    return [RECORDS, *(part.name for part in parts.known())]


CUSTOMER = shape(
    "Customer",
    {
        "public_id": serializers.UUIDField(),
        "merged_ids": serializers.ListField(
            child=serializers.UUIDField(), help_text="Ids that were merged away and lead here."
        ),
        "kind": serializers.ChoiceField(choices=KINDS, help_text="A known person or a visitor."),
        "name": serializers.CharField(),
        "traits": serializers.DictField(help_text=_TRAITS),
        RECORDS: shape("SourceRecord", RECORD, many=True, required=False),
        **{part.name: part.shape for part in parts.known()},
    },
)
SEVERAL = shape(
    "SeveralCustomers",
    {
        "error": PROBLEM_DETAIL,
        "profiles": serializers.ListField(child=serializers.UUIDField(), help_text="Their public ids, at most 20."),
    },
)


class LookUpRequest(serializers.Serializer):
    """One identifier."""

    kind = serializers.RegexField(
        r"^[a-z][a-z_0-9]{0,19}$",
        help_text="email, phone, national_id, line_id, member_id, user, device, order, or what a source calls its own.",
    )
    value = serializers.CharField(
        max_length=LONGEST, help_text="Phone numbers and e-mail addresses in any format, others as they were given."
    )
    source = serializers.SlugField(  # type: ignore[assignment]  # the field's own name hides an attribute
        required=False, help_text="Short name of the system that gave the number; without it, whichever did."
    )
    include = serializers.ListField(
        child=serializers.ChoiceField(choices=names_of_parts()), required=False, help_text="Only these parts."
    )


def wanted(text: str | None) -> frozenset[str]:
    """The parts that `?include=` names, separated by commas; all without it. Raises MendableError."""
    every = names_of_parts()
    if text is None:
        return frozenset(every)
    asked = frozenset(filter(None, (name.strip() for name in text.split(","))))
    if unknown := asked - set(every):
        raise MendableError(
            f"There is no part {', '.join(sorted(unknown))[:80]}.", field="include", hint=f"One of {', '.join(every)}."
        )
    return asked


def answer(profile: Profile, *, by: User, include: Collection[str]) -> dict[str, Any]:
    """JSON of the customer as this user may see them. Three queries beside the user's scope and those of the parts."""
    scope = scope_of(by)
    records = overview.records_of([profile], scope)[profile.pk]
    values = overview.values_of({profile.pk: records}, scope)[profile.pk]
    shows = masking.shows_identifiers(by, profile.pk)
    # Of records that the reader sees: another's birth would tell of a source that is not theirs.
    born = {record.birth_profile_id for record in records} - {profile.pk}
    births = Profile.objects.filter(pk__in=born, redirect_to=profile)  # asks nothing where nobody else was born
    told: dict[str, Any] = {
        "public_id": profile.public_id,
        "merged_ids": list(births.order_by("pk").values_list("public_id", flat=True)),
        "kind": profile.kind,
        "name": masking.readable(shown_name(values), shows=shows),
        "traits": _traits(values, shows=shows),
    }
    if RECORDS in include:
        told[RECORDS] = [
            {
                "id": record.pk,
                "source": record.source.slug,
                "kind": record.kind,
                "external_id": record.external_id if shows else masked(record.external_id),
                "first_seen_at": record.first_seen_at,
                "last_seen_at": record.last_seen_at,
                "verified": record.is_verified,  # type: ignore[attr-defined]  # annotated by `records_of`
            }
            for record in records
        ]
    return told | {part.name: part.read(profile, by) for part in parts.known() if part.name in include}


def _traits(values: Mapping[str, Any], *, shows: bool) -> dict[str, Any]:
    def value(trait: str, stated: Any) -> Any:
        if shows or not masking.hides_part_of(trait, texts_of(stated)):
            return stated
        return list(masking.shown(trait, texts_of(stated), shows=False))

    return {trait: value(trait, stated) for trait, stated in sorted(values.items())}
