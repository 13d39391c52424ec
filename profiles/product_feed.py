"""The digest's part for product feeds: messages that tell of what is sold, and of no person."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingestion import landing
from ingestion.landing import Claimed
from ingestion.messages import PRODUCT, Item, Reason, Rejection
from profiles import catalogue


@dataclass(frozen=True, slots=True)
class ProductDraft:
    """A message of a product feed, understood."""

    batch: Claimed
    item: Item
    product: catalogue.StatedProduct


def tells_of_product(item: Item) -> bool:
    is_product: bool = item.message.type == PRODUCT
    return is_product


def read(batch: Claimed, item: Item, *, namespace: str) -> ProductDraft | Rejection:
    """Understand one message of a feed; `namespace` is the source's short name."""
    try:
        product = catalogue.read(
            (item.message.cdp or {}).get("product") or {},
            namespace=namespace,
            at=item.clocks.occurred_at,
            operation_id=batch.operation_id,
        )
    except catalogue.ProductProblem as problem:
        return Rejection(place=item.place, reason=Reason.WRONG_TYPE, detail=problem.detail, raw=item.raw)
    return ProductDraft(batch, item, product)


def store(drafts: Sequence[ProductDraft]) -> dict[tuple[int, int], str]:
    """Write products in the current transaction; returns (batch, place) → stored or duplicate. None: no query."""
    if not drafts:
        return {}
    known = set(landing.seen([draft.item.id for draft in drafts]))
    outcomes: dict[tuple[int, int], str] = {}
    fresh = []
    for draft in drafts:
        is_known = draft.item.id in known
        outcomes[draft.batch.id, draft.item.place] = "duplicate" if is_known else "stored"
        if not is_known:
            known.add(draft.item.id)
            fresh.append(draft)
    catalogue.upsert(draft.product for draft in fresh)
    landing.remember(draft.item.id for draft in fresh)
    return outcomes
