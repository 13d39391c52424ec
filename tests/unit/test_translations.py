"""Every text has its Thai; and the collector finds what Django will look up."""

from pathlib import Path

import polib
import pytest

from cdp_site.operations import translations


@pytest.mark.parametrize("label", translations.OWN_APPS)
def test_every_text_is_translated_and_compiled(label: str) -> None:
    assert translations.check(label).problems == ()


def test_a_text_has_one_thai_in_all_apps() -> None:
    """Django lets the first app that has a text speak for all of them: another meaning needs a context."""
    said: dict[tuple[str | None, str], set[str]] = {}
    for path in filter(Path.exists, map(translations.catalogue_path, translations.OWN_APPS)):
        for entry in polib.pofile(str(path)):
            said.setdefault((entry.msgctxt, entry.msgid), set()).add(entry.msgstr or str(entry.msgstr_plural))

    assert {text: thai for text, thai in said.items() if len(thai) > 1} == {}


def test_finds_the_calls_of_python() -> None:
    source = """
title = _("Orders")
lazy = gettext_lazy("One " "string")
many = ngettext("%(n)d day", "%(n)d days", n)
verb = pgettext("button", "Order")
other = strip("not a text")
"""
    assert list(translations.python_calls(source)) == [
        (None, "Orders", None),
        (None, "One string", None),
        (None, "%(n)d day", "%(n)d days"),
        ("button", "Order", None),
    ]


def test_names_the_line_of_a_text_that_nobody_can_translate() -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(translations.python_calls('\n_(f"Hello {name}")'))


def test_finds_the_texts_of_a_template() -> None:
    source = """{% load i18n %}
{% translate "It's 100%" %}{% translate "Order" context "button" %}
{% include "x.html" with title=_("Title") %}
{% blocktranslate count n=rows|length trimmed %}
  {{ n }} row
{% plural %}
  {{ n }} rows
{% endblocktranslate %}
{% blocktranslate with name=user.name %}Hello, "{{ name }}"{% endblocktranslate %}"""
    assert set(translations.template_calls(source, "x.html")) == {
        (None, "It's 100%%", None),
        ("button", "Order", None),
        (None, "Title", None),
        (None, "%(n)s row", "%(n)s rows"),
        (None, 'Hello, "%(name)s"', None),
    }


def test_update_keeps_drops_and_suggests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = polib.POFile()
    old.append(polib.POEntry(msgid="Orders", msgstr="คำสั่งซื้อ"))
    old.append(polib.POEntry(msgid="Gone", msgstr="หายไป"))
    path = tmp_path / "locale/django.po"
    path.parent.mkdir()
    old.save(str(path))
    messages = [translations.Message(None, text, files={"a.py"}) for text in ("Orders", "Name", "New")]
    monkeypatch.setattr(translations, "catalogue_path", lambda label: path)
    monkeypatch.setattr(translations, "extract", lambda label: {message.key: message for message in messages})

    before = translations.check("core").problems
    report = translations.update("core", {(None, "Name"): "ชื่อ"})

    assert any("Gone" in line for line in before)
    assert {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))} == {
        "Name": "ชื่อ",
        "New": "",
        "Orders": "คำสั่งซื้อ",
    }
    assert [line for line in report.problems if "'New'" in line] == list(report.problems)
    assert polib.mofile(str(path.with_suffix(".mo"))).find("Name").msgstr == "ชื่อ"


def test_check_compares_placeholders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "django.po"
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid="Hello, %(name)s", msgstr="สวัสดี %(nmae)s"))
    catalogue.save(str(path))
    message = translations.Message(None, "Hello, %(name)s", files={"a.html"})
    monkeypatch.setattr(translations, "catalogue_path", lambda label: path)
    monkeypatch.setattr(translations, "extract", lambda label: {message.key: message})
    assert any("placeholders" in line for line in translations.check("core").problems)
