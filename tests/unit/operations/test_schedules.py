"""What runs by the clock."""

import inspect
from datetime import time

import pytest
from django.utils.module_loading import import_string

from cdp_site.schedules import CHORES, Chore


@pytest.mark.parametrize("chore", CHORES, ids=lambda chore: chore.name)
def test_every_chore_is_a_function_that_needs_nothing(chore: Chore) -> None:
    inspect.signature(import_string(chore.function)).bind()


def test_names_are_unique_and_short_enough_for_the_table() -> None:
    names = [chore.name for chore in CHORES]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 100


@pytest.mark.parametrize("rhythm", [{}, {"every_minutes": 1, "daily_at": time(3)}])
def test_a_chore_has_one_rhythm(rhythm: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either every_minutes or daily_at"):
        Chore("x", "y", **rhythm)
