"""What a verdict of "same" would do: what would hold the records together, what would change, who has to agree."""

from dataclasses import dataclass

from django.conf import settings

from cdp_site.core.access import Scope
from profiles import comparison, merging
from profiles.comparison import Comparison
from profiles.matching import cluster, review
from profiles.matching.cluster import Cluster
from profiles.merging import Preview
from profiles.models import ReviewPair, SourceRecord


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`preview` and `comparison` are None when the records are one customer already."""

    cluster: Cluster
    preview: Preview | None
    comparison: Comparison | None
    needs_second_person: bool


def foresee(pair: ReviewPair, *, scope: Scope) -> Foreseen:
    """Without the traits that the scope hides. Changes nothing. Raises as `merging.preview_merge` does."""
    profiles = list(review.customers_of([pair]))
    numbers = merging.members_of(profiles) | {pair.record_a_id, pair.record_b_id}
    members = SourceRecord.objects.filter(pk__in=numbers).select_related("source").order_by("pk")
    held = cluster.of_pair(pair, list(members))
    preview = merging.preview_merge(profiles).within(scope) if len(profiles) > 1 else None
    return Foreseen(
        cluster=held,
        preview=preview,
        comparison=None if preview is None else comparison.compare(preview),
        needs_second_person=len(profiles) > 1 and held.records > settings.MATCH_RECORDS_FOR_ONE_PERSON,
    )
