"""No file is longer than a person reads at one sitting."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cdp_site", "ingestion", "profiles", "consent", "segments", "templates", "static", "tests")
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
