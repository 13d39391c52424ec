"""Everything that hangs on people, without ids: to compare two databases, or one before and after."""

from typing import Any

from consent.models import ConsentEntry
from profiles.models import (
    Identifier,
    IdentifierKey,
    Membership,
    Order,
    Profile,
    Refund,
    SourceRecord,
    Touchpoint,
)
from profiles.name_index import indexed_words


def picture(*, times: bool = True) -> dict[str, Any]:
    """Records and people by their sources' own names; agents' records, which have none, are left out.

    `times`: with the clocks at which a source said something."""
    told = SourceRecord.objects.exclude(kind=SourceRecord.Kind.AGENT).select_related("source")
    names = {record.pk: f"{record.source.slug}/{record.kind}/{record.external_id}" for record in told}
    people: dict[int, list[str]] = {}
    current = Membership.objects.filter(valid_to=None, record__in=names)
    for owner, record in current.values_list("profile", "record"):
        people.setdefault(owner, []).append(names[record])
    person = {owner: tuple(sorted(members)) for owner, members in people.items()}
    words = indexed_words(names)
    return {
        "records": {
            names[record.pk]: (
                record.attributes,
                record.attribute_times if times else None,
                (record.first_seen_at, record.last_seen_at) if times else None,
                sorted(words[record.pk]),
            )
            for record in told
        },
        "people": {
            person[profile.pk]: (profile.kind, profile.golden, profile.sort_name) for profile in Profile.objects.live()
        },
        "identifiers": sorted(
            (
                *(names[one.record_id], one.kind, one.namespace, one.value, one.raw, one.is_evidence, one.is_current),
                *((str(one.valid_from), str(one.valid_to or "")) if times else (one.valid_to is not None,)),
                *person[one.profile_id],
            )
            for one in Identifier.objects.all()
        ),
        "keys": sorted(
            (key.kind, key.namespace, key.value, key.shared, *(person[key.profile_id] if key.profile_id else ()))
            for key in IdentifierKey.objects.all()
        ),
        "touchpoints": sorted(
            (names[one.record_id], one.type.name, str(one.occurred_at), str(one.properties), *person[one.profile_id])
            for one in Touchpoint.objects.select_related("type")
        ),
        "orders": sorted(
            (
                order.external_id,
                names.get(order.record_id or 0),
                order.status,
                str(order.placed_at),
                order.total,
                order.refunded,
                order.coupon,
                sorted((line.line_key, line.sku, line.quantity, line.unit_price) for line in order.lines.all()),
            )
            for order in Order.objects.prefetch_related("lines")
        ),
        "refunds": sorted((one.order.external_id, one.amount) for one in Refund.objects.select_related("order")),
        "consents": sorted(
            (names[one.record_id], one.purpose.slug, one.channel, one.address, one.state)
            for one in ConsentEntry.objects.standing().select_related("purpose")
        ),
    }
