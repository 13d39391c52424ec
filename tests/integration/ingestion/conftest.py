import base64
from collections.abc import Callable

import pytest

from ingestion import keys
from ingestion.models import Source


@pytest.fixture
def key_of(db: None) -> Callable[..., str]:
    """A new write key of a source."""

    def make(source: Source, **options: bool) -> str:
        return keys.make(source=source, by="system:test", **options)[1]

    return make


@pytest.fixture
def basic() -> Callable[[str], dict[str, str]]:
    """The header of HTTP Basic auth for a write key."""

    def header(key: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}

    return header
