"""Segments on the customers of `tests.customers`, through the real doors."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from cdp_site.core.models import Department, User
from ingestion.models import Source
from segments import authoring
from segments.definition.nodes import VERSION
from segments.models import Segment
from tests.customers import LATELY, Tell, identify, track

Login = Callable[[User], Client]


def viewed_red(n: int = 1) -> dict[str, Any]:
    return {
        "kind": "touchpoint",
        "event": "Product Viewed",
        "count": {"bound": "at_least", "n": n},
        "window": {"kind": "ever"},
        "filters": [{"property": "color", "operator": "is", "value": "red"}],
    }


def whole(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"version": VERSION, "where": {"kind": "all", "of": list(conditions)}}


def posted(where: Any, place: str = "/where") -> dict[str, str]:
    """The controls of a definition as a browser posts them."""
    if isinstance(where, dict):
        parts = [posted(value, f"{place}/{key}") for key, value in where.items()]
    elif isinstance(where, list):
        parts = [posted(value, f"{place}/{number}") for number, value in enumerate(where)]
    else:
        return {place: str(where).lower() if isinstance(where, bool) else str(where)}
    return {name: value for part in parts for name, value in part.items()}


@pytest.fixture(autouse=True)
def _pages_are_read_in_english(in_english: None) -> None: ...


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, settings: object) -> None:
    """Files of lists lie in a folder of the test."""
    settings.CDP_DATA = tmp_path  # type: ignore[attr-defined]


@pytest.fixture
def viewers(tell: Tell, web_shop: Source) -> None:
    """Six customers of the web shop: three viewed something red, with an address that may be written to or not."""
    consents = {"v1": "Consent Granted", "v2": "Consent Refused"}
    for number in range(1, 7):
        user = f"v{number}"
        name = {"firstName": "=SUM(A1)" if number == 1 else "มานี", "lastName": f"มีนา{number}"}
        tell(web_shop, identify(user, **name, email=f"{user}@baansabai.co.th", province="ตรัง"))
        tell(web_shop, track(user, "Product Viewed", color="red" if number <= 3 else "blue", price=number * 100))
        if user in consents:
            tell(web_shop, track(user, consents[user], purpose="marketing", channel="email"))


@pytest.fixture
def make_segment(marketer: User) -> Callable[..., Segment]:
    def make(*conditions: dict[str, Any], name: str = "Red", by: User | None = None, **said: Any) -> Segment:
        author = by or marketer
        department: Department | None = said.get("department", author.department)
        return authoring.create(
            name=name,
            description=said.get("description", ""),
            department=department,
            definition=whole(*(conditions or (viewed_red(),))),
            by=author,
        )

    return make


@pytest.fixture
def clock() -> Iterator[Any]:
    """LATELY, standing still until it is moved."""
    with time_machine.travel(LATELY, tick=False) as traveller:
        yield traveller
