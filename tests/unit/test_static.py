"""What the content security policy and the icon sprite ask of templates and static files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PYTHON = [
    path
    for folder in ("cdp_site", "ingestion", "profiles", "consent", "segments")
    for path in (ROOT / folder).rglob("*.py")
]
SPRITE = ROOT / "static/vendor/icons/sprite.svg"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_have_nothing_that_the_policy_forbids(path: Path) -> None:
    source = re.sub(r"{% comment %}.*?{% endcomment %}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=", source), "inline style"
    assert not re.search(r"<style\b", source), "style element"
    assert not re.search(r"<script(?![^>]*\ssrc=)", source), "inline script"
    assert not re.search(r"\s(?:on[a-z]+|hx-on[^=\s]*)\s*=", source), "inline handler"
    assert "js:" not in source, "htmx evaluates it"


def test_every_icon_in_use_is_in_the_sprite() -> None:
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text(encoding="utf-8")))
    templates = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    python = "".join(path.read_text(encoding="utf-8") for path in PYTHON)
    named = set(re.findall(r'{% icon "([\w-]+)"', templates))
    named |= set(re.findall(r'icon(?:\|default:|=)"([\w-]+)"', templates))
    named |= set(re.findall(r'\bicon="([\w-]+)"', python))
    assert named <= symbols


def test_style_sheets_stay_on_this_host() -> None:
    for path in (ROOT / "static/css").glob("*.css"):
        source = path.read_text(encoding="utf-8")
        assert "//" not in re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL), name_of(path)
        for link in re.findall(r'url\("([^"]+)"\)', source):
            assert (path.parent / link).is_file(), link


def test_vendored_packages_carry_their_licences() -> None:
    for folder in (ROOT / "static/vendor").iterdir():
        if folder.is_dir():
            assert list(folder.glob("LICENSE*")), folder.name
