"""What is served of other people's style sheets and icons: what pages use, and no more."""

import io

import pytest
from django.core.management import CommandError, call_command

from cdp_site.operations import vendored

SHEET = """@charset "UTF-8";/*! licence */
:root,[data-theme=light]{--a:1px;--b:var(--a);--unused:var(--c);--c:red}
a{color:blue;content:";}"}
.btn,.btn-group>.btn{margin:var(--b);animation:turn 1s}
.card.wide{color:red}.card:not(.wide){color:green}.btn:is(.x,.card .y){color:pink}
@media (max-width:9px){.btn{margin:0}.nav{margin:1px}}@media print{.nav{margin:0}}
@keyframes turn{from{top:0}to{top:1px}}@keyframes idle{to{top:0}}
@font-face{font-family:X;src:url(data:font/woff2;base64,AA)}"""


def test_a_rule_stays_when_all_its_classes_are_in_use() -> None:
    kept = vendored.pruned(SHEET, {"btn", "card"})
    assert ".btn{margin:var(--b)" in kept
    assert "btn-group" not in kept
    assert ".card.wide" not in kept
    assert ".card:not(.wide){color:green}" in kept
    assert ".btn:is(.x,.card .y){color:pink}" in kept


def test_elements_stay_and_strings_are_read_as_such() -> None:
    assert 'a{color:blue;content:";}"}' in vendored.pruned(SHEET, set())


def test_a_media_query_goes_with_its_last_rule() -> None:
    kept = vendored.pruned(SHEET, {"btn"})
    assert "@media (max-width:9px){.btn{margin:0}}" in kept
    assert "print" not in kept


def test_variables_and_animations_stay_while_something_needs_them() -> None:
    kept = vendored.pruned(SHEET, {"btn"})
    assert "{--a:1px;--b:var(--a)}" in kept
    assert "@keyframes turn{from{top:0}to{top:1px}}" in kept
    assert "idle" not in kept
    assert "--a" not in vendored.pruned(SHEET, set())
    assert "--c:red" in vendored.pruned(SHEET, set(), "p { color: var(--c) }")


def test_a_sheet_that_ends_in_the_middle_is_refused() -> None:
    with pytest.raises(ValueError, match="never closed"):
        vendored.parse(".btn{margin:0")


def test_what_is_served_is_what_pages_use() -> None:
    """Fails after a template has begun to use another class of Tabler's, or a page has ceased to show an icon."""
    said = io.StringIO()
    try:
        call_command("vendored", "--check", stdout=said)
    except CommandError as problem:
        pytest.fail(str(problem))
    assert said.getvalue().count("up to date") == 2
