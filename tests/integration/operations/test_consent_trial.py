"""Merges, unmerges and the same nightly file at random: nothing is widened, lost or made up. `manage.py consent_trial
--rounds 10000` is the whole."""

import pytest

from cdp_site.operations.bench import consent_trial

pytestmark = pytest.mark.django_db


def test_nothing_is_widened_lost_or_made_up() -> None:
    report = consent_trial.run(60, seed=7)
    assert report.is_clean, report.faults
    assert {"merge", "unmerge", "revert", "repeat", "own act", "page", "cell"} <= set(report.rounds)
