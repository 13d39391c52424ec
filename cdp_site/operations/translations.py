"""Catalogues without the gettext programs: what the source says, what the .po files hold, what .mo they make.

Each app owns the strings of its Python and of `templates/<app>/`; core also owns the frame and the components.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib
from django.apps import apps
from django.conf import settings
from django.utils.translation.template import templatize

LANGUAGE = "th"
OWN_APPS = ("core", "ingestion", "profiles", "consent", "segments", "operations")
# Argument positions of gettext's functions: (context, singular, plural).
SIGNATURES: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
METADATA = {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": LANGUAGE,
    "MIME-Version": "1.0",
    "Plural-Forms": "nplurals=1; plural=0;",
}

# What templatize() leaves: calls of gettext among X-ed out text.
_TEXT = r"u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")"
_CALL = re.compile(rf"(?<!\w)(_|gettext|ngettext|pgettext|npgettext)\(\s*({_TEXT}(?:\s*,\s*{_TEXT})*)")

Key = tuple[str | None, str]  # context, English


@dataclass
class Message:
    """A string of the source with the files that say it."""

    context: str | None
    english: str
    plural: str | None = None
    files: set[str] = field(default_factory=set)

    @property
    def key(self) -> Key:
        return (self.context, self.english)


@dataclass(frozen=True)
class Report:
    """State of one app's catalogue against its source; `problems` are lines for a person."""

    app: str
    total: int
    problems: tuple[str, ...]


def python_calls(source: str) -> Iterator[tuple[str | None, str, str | None]]:
    """(context, English, plural) of every gettext call in Python source.

    Raises ValueError with the line for a call whose argument is not a plain string: nobody could translate it.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name not in SIGNATURES:
            continue
        context, english, plural = SIGNATURES[name]
        texts = [_constant(argument) for argument in node.args]
        wanted = [position for position in (context, english, plural) if position is not None]
        if any(position >= len(texts) or texts[position] is None for position in wanted):
            raise ValueError(f"line {node.lineno}: {name}() needs plain strings")
        yield (
            None if context is None else texts[context],
            texts[english] or "",
            None if plural is None else texts[plural],
        )


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def template_calls(source: str, origin: str) -> Iterator[tuple[str | None, str, str | None]]:
    """(context, English, plural) of every translated text of a template, as Django itself will look it up."""
    for name, arguments in _CALL.findall(templatize(source, origin=origin)):
        texts = ast.literal_eval(f"[{arguments}]")
        context, english, plural = SIGNATURES[name]
        yield (
            None if context is None else texts[context],
            texts[english],
            None if plural is None else texts[plural],
        )


def _python_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*.py") if "migrations" not in path.parts)


def _template_files(label: str) -> Iterator[Path]:
    templates = Path(settings.BASE_DIR) / "templates"
    roots = [templates / label] if label != "core" else [templates / "core", templates / "components"]
    for root in roots:
        yield from root.rglob("*.html")
        yield from root.rglob("*.txt")
    if label == "core":
        yield from templates.glob("*.html")


def _folder(label: str) -> Path:
    return Path(apps.get_app_config(label).path)


def extract(label: str) -> dict[Key, Message]:
    """Every string of an app's source. Raises ValueError naming file and line of one that nobody could translate."""
    base = Path(settings.BASE_DIR)
    messages: dict[Key, Message] = {}

    def take(path: Path, calls: Iterable[tuple[str | None, str, str | None]]) -> None:
        name = path.relative_to(base).as_posix()
        try:
            for context, english, plural in calls:
                message = messages.setdefault((context, english), Message(context, english))
                message.plural = message.plural or plural
                message.files.add(name)
        except (SyntaxError, ValueError) as problem:
            raise ValueError(f"{name}: {problem}") from problem

    python_files = list(_python_files(_folder(label)))
    if label == "core":  # the frame's own modules lie beside the app: settings.py, views.py
        python_files += Path(settings.BASE_DIR, "cdp_site").glob("*.py")
    for path in sorted(python_files):
        take(path, python_calls(path.read_text(encoding="utf-8")))
    for path in sorted(_template_files(label)):
        take(path, template_calls(path.read_text(encoding="utf-8"), str(path)))
    return messages


def catalogue_path(label: str) -> Path:
    return _folder(label) / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def read(label: str) -> polib.POFile:
    path = catalogue_path(label)
    if path.exists():
        return polib.pofile(str(path), wrapwidth=100)
    return polib.POFile(wrapwidth=100)


def is_translated(entry: polib.POEntry) -> bool:
    if entry.obsolete or entry.fuzzy:
        return False
    return bool(entry.msgstr_plural.get(0) if entry.msgid_plural else entry.msgstr)


def update(label: str, known: dict[Key, str]) -> Report:
    """Bring the app's .po in line with its source (translations kept, stale ones dropped) and write its .mo.

    `known` holds translations of the other apps: the same English in a second app starts with the same Thai.
    """
    messages = extract(label)
    old = {(entry.msgctxt, entry.msgid): entry for entry in read(label) if not entry.obsolete}
    fresh = polib.POFile(wrapwidth=100)
    fresh.metadata = dict(METADATA)
    for key in sorted(messages, key=lambda key: (key[1].casefold(), key[1], key[0] or "")):
        fresh.append(_entry(messages[key], old.get(key), known.get(key, "")))
    path = catalogue_path(label)
    if messages:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_if_changed(path, str(fresh).encode() + b"\n")
        _write_if_changed(path.with_suffix(".mo"), fresh.to_binary())
    missing = [f"{label}: no Thai for {entry.msgid!r}" for entry in fresh if not is_translated(entry)]
    return Report(label, len(fresh), tuple(missing))


def _entry(message: Message, old: polib.POEntry | None, suggestion: str) -> polib.POEntry:
    entry = polib.POEntry(
        msgctxt=message.context,
        msgid=message.english,
        msgid_plural=message.plural or "",
        occurrences=[(name, "") for name in sorted(message.files)],
        flags=["python-format"] if re.search(r"%\(\w+\)[sd]", message.english) else [],
    )
    thai = suggestion
    if old is not None and not old.fuzzy:
        thai = old.msgstr_plural.get(0, "") or old.msgstr or suggestion
    if message.plural:
        entry.msgstr_plural = {0: thai}
    else:
        entry.msgstr = thai
    return entry


def _write_if_changed(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def check(label: str) -> Report:
    """What is untranslated, stale, or compiled from something else; changes nothing."""
    messages, catalogue = extract(label), read(label)
    entries = {(entry.msgctxt, entry.msgid): entry for entry in catalogue if not entry.obsolete}
    problems = []
    for key, message in sorted(messages.items(), key=lambda item: item[0][1]):
        entry = entries.get(key)
        if entry is None or not is_translated(entry):
            problems.append(f"{label}: no Thai for {message.english!r} ({', '.join(sorted(message.files))})")
        elif _placeholders(entry) != _placeholders_of(message):
            problems.append(f"{label}: other placeholders in the Thai of {message.english!r}")
    problems += [
        f"{label}: nothing says {key[1]!r} any more" for key in sorted(entries.keys() - messages.keys(), key=str)
    ]
    compiled = catalogue_path(label).with_suffix(".mo")
    if entries and (not compiled.exists() or compiled.read_bytes() != catalogue.to_binary()):
        problems.append(f"{label}: {compiled.name} is not compiled from the .po")
    return Report(label, len(messages), tuple(problems))


_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def _placeholders(entry: polib.POEntry) -> set[str]:
    return set(_PLACEHOLDER.findall(entry.msgstr_plural.get(0, "") if entry.msgid_plural else entry.msgstr))


def _placeholders_of(message: Message) -> set[str]:
    return set(_PLACEHOLDER.findall(message.plural or message.english))


def translations_of(labels: Iterable[str]) -> dict[Key, str]:
    """All Thai texts that the named apps have already."""
    return {
        (entry.msgctxt, entry.msgid): entry.msgstr_plural.get(0, "") if entry.msgid_plural else entry.msgstr
        for label in labels
        for entry in read(label)
        if is_translated(entry)
    }
