"""What tests of matching have in common."""

import pytest

from cdp_site.core import jobs


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes to the job cluster: tests run jobs themselves, or replace this to see what would go."""
    monkeypatch.setattr(jobs, "enqueue", lambda *_job: None)
