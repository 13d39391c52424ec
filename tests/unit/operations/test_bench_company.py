"""What the bench of a company projects, and how memory is summed."""

import mmap
import os
import subprocess
import sys

import pytest

from cdp_site.operations.bench import company, company_memory, matching_batch


@pytest.mark.parametrize(
    ("values", "exponent"),
    [([5, 10, 20], 1.0), ([105, 110, 120], 1.0), ([1, 4, 16], 2.0), ([9, 9, 9], 1.0), ([9, 8, 12], 1.0)],
)
def test_growth_leaves_out_what_costs_at_any_size(values: list[float], exponent: float) -> None:
    assert company.growth(values) == pytest.approx(exponent)


def test_a_law_of_three_sizes_holds_for_a_fourth() -> None:
    assert company.projected([105, 110, 120], times=2) == pytest.approx(140)
    assert company.projected([1, 4, 16], times=3) == pytest.approx(144)
    assert company.projected([9, 9, 9], times=50) == pytest.approx(9)


def test_children_count_to_what_is_held() -> None:
    alone = company_memory.held_by({os.getpid()})
    code = "block = bytearray(b'1') * 60_000_000; print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    together = company_memory.held_by({os.getpid()})
    child.communicate(b"\n")
    assert together.own - alone.own > 50_000_000
    assert company_memory.held_by({0}) == company_memory.Held()


def test_memory_in_common_is_told_apart() -> None:
    before = company_memory.held_by({os.getpid()})
    with mmap.mmap(-1, 30_000_000) as block:
        block.write(b"1" * len(block))
        held = company_memory.held_by({os.getpid()})
    assert held.shared - before.shared > 29_000_000
    assert held.most(before).together >= held.together


def test_the_till_knows_every_fourth_person() -> None:
    assert [matching_batch._person(number, 8) for number in range(1, 11)] == [1, 2, 3, 4, 5, 6, 7, 8, 1, 5]
    assert matching_batch._judged([(1, 9), (5, 10), (2, 10)], 8) == {"found": 2, "wrong": 1}
