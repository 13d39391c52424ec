"""What tests of memberships have in common."""

from collections.abc import Callable
from typing import Any

from profiles.models import Profile
from segments.membership import reading
from segments.models import Segment

Make = Callable[..., Segment]
WEEK = {"kind": "rolling", "n": 7, "unit": "days"}


def did(event: str, bound: str, n: int, window: dict[str, Any], **filters: str) -> dict[str, Any]:
    return {
        "kind": "touchpoint",
        "event": event,
        "count": {"bound": bound, "n": n},
        "window": window,
        "filters": [{"property": name, "operator": "is", "value": value} for name, value in filters.items()],
    }


RED = did("Product Viewed", "at_least", 4, WEEK, color="red", category="shoes")
LAPSED = did("Order Completed", "exactly", 0, {"kind": "rolling", "n": 90, "unit": "days"})
ORDERED = did("Order Completed", "at_least", 1, {"kind": "ever"})
IN_TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}
VIEWED = did("Product Viewed", "at_least", 1, {"kind": "ever"})


def names(profile: Profile) -> list[str]:
    return [state.segment.name for state in reading.of(profile)]


def passages(segment: Segment) -> list[tuple[bool, str]]:
    return list(segment.passages.order_by("pk").values_list("entered", "cause"))
