"""No file is longer than a person reads at one sitting, and the house has the rooms that it is known by."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cdp_site", "ingestion", "profiles", "consent", "segments", "templates", "static", "tests")
FILES = {"manage.py", "pyproject.toml", "uv.lock", "README.md"}
# The first that fits counts.
LIMITS = (("views", 300), ("models", 400), ("", 500))


def lines_over_limit(path: Path) -> int:
    limit = next(lines for part, lines in LIMITS if not part or part in path.parts or path.stem == part)
    return len(path.read_text().splitlines()) - limit


@pytest.mark.parametrize("room", ROOMS)
def test_files_stay_short(room: str) -> None:
    files = (path for kind in ("py", "html", "js", "css") for path in (ROOT / room).rglob(f"*.{kind}"))
    own = (path for path in files if not {"migrations", "vendor"} & set(path.parts))
    assert {str(path.relative_to(ROOT)): over for path in own if (over := lines_over_limit(path)) > 0} == {}


def test_the_top_level_is_the_known_one() -> None:
    made_here = {"staticfiles", "test-results"}  # by commands, not kept
    there = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert there - made_here == FILES | set(ROOMS)
