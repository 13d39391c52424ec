"""What pages are served of other people's files: of Tabler's style sheet the rules that some page uses, of the icons
those that some page shows.

Tabler's sheet is 636 KB for everything that it can do; a page of this product uses a twentieth of it. The whole sheet
lies in `whole/tabler/` here, outside of what is served; `manage.py vendored` writes `static/vendor/tabler/tabler.css`
from it, and a test fails when a template names a class that the whole sheet knows and the written one lacks.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

OWN_FOLDERS = ("cdp_site", "ingestion", "profiles", "consent", "segments")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CLASS_ATTRIBUTE = re.compile(r"""class=(["'])(.*?)\1""", re.DOTALL)
_TAG = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
_IN_CODE = re.compile(r"""(?:"class"\s*:|"class",|class=\\?|classList\.\w+\()\s*f?\(?["']([^"']+)""")
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
# What a rule says of elements that have one of several classes, or lack some: nothing of it has to be in use.
_ALTERNATIVES = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)")
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")
_ANIMATION = re.compile(r"(?:^|;)\s*(?:-webkit-)?animation(?:-name)?\s*:([^;]*)")
_SYMBOL = re.compile(r"[ \t]*<symbol id=\"([\w-]+)\".*?</symbol>\n?", re.DOTALL)


@dataclass
class Block:
    """One statement of a style sheet: a rule with declarations, an at-rule with blocks, or a line such as @charset."""

    head: str
    declarations: list[str] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)

    @property
    def has_blocks(self) -> bool:
        return self.head.startswith(("@media", "@supports", "@container", "@layer"))

    def __str__(self) -> str:
        if self.has_blocks:
            return f"{self.head}{{{''.join(map(str, self.blocks))}}}"
        return f"{self.head}{{{';'.join(self.declarations)}}}" if self.declarations else f"{self.head};"


def parse(source: str) -> list[Block]:
    """The statements of a style sheet without nesting of rules, as a compiler writes it."""
    return list(_statements(_COMMENT.sub("", source)))


def _statements(source: str) -> Iterator[Block]:
    position = 0
    while position < len(source):
        end = _find(source, position, "{;")
        head = source[position:end].strip()
        if end == len(source) or source[end] == ";":
            if head:
                yield Block(head)
            position = end + 1
            continue
        close = _closing(source, end)
        body, position = source[end + 1 : close], close + 1
        block = Block(head)
        if block.has_blocks:
            block.blocks = list(_statements(body))
        elif head.startswith("@") and "{" in body:  # keyframes stay in one piece
            block.declarations = [body]
        else:
            block.declarations = [one.strip() for one in _split(body, ";") if one.strip()]
        yield block


def _find(source: str, position: int, wanted: str) -> int:
    """Where one of the characters stands outside of strings and parentheses, or the end."""
    depth, quote = 0, ""
    for at in range(position, len(source)):
        character = source[at]
        if quote:
            quote = "" if character == quote and source[at - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif depth == 0 and character in wanted:
            return at
    return len(source)


def _closing(source: str, opening: int) -> int:
    depth, at = 1, opening
    while depth:
        at = _find(source, at + 1, "{}")
        if at == len(source):
            raise ValueError(f"a brace of the style sheet is never closed: {source[opening - 80 : opening + 1]!r}")
        depth += 1 if source[at] == "{" else -1
    return at


def _split(text: str, separator: str) -> Iterator[str]:
    position = 0
    while position <= len(text):
        end = _find(text, position, separator)
        yield text[position:end]
        position = end + 1


def pruned(source: str, classes: set[str], own_sheets: str = "") -> str:
    """The sheet with the rules whose classes are all in use, and the variables and animations that those rules or our
    own sheets need."""
    kept = list(_in_use(parse(source), classes))
    variables = _variables_in_use(kept, own_sheets)
    return "".join(map(str, _without_idle(kept, variables)))


def _in_use(blocks: Iterable[Block], classes: set[str]) -> Iterator[Block]:
    for block in blocks:
        if block.has_blocks:
            inner = list(_in_use(block.blocks, classes))
            if inner:
                yield Block(block.head, blocks=inner)
        elif block.head.startswith("@"):
            yield block
        else:
            selectors = [one.strip() for one in _split(block.head, ",") if _is_in_use(one, classes)]
            if selectors:
                yield Block(",".join(selectors), block.declarations)


def _is_in_use(selector: str, classes: set[str]) -> bool:
    previous = None
    while previous != selector:  # alternatives within alternatives
        previous, selector = selector, _ALTERNATIVES.sub("", selector)
    return set(_CLASS.findall(selector)) <= classes


def _rules(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if block.has_blocks:
            yield from _rules(block.blocks)
        else:
            yield block


def _variables_in_use(blocks: list[Block], own_sheets: str) -> set[str]:
    """Variables that a property needs, and those that these are made of."""
    made_of: dict[str, set[str]] = {}
    needed = set(_VARIABLE.findall(own_sheets))
    for rule in _rules(blocks):
        for declaration in rule.declarations:
            name, _colon, value = declaration.partition(":")
            if name.startswith("--"):
                made_of.setdefault(name, set()).update(_VARIABLE.findall(value))
            else:
                needed.update(_VARIABLE.findall(declaration))
    found: set[str] = set()
    while needed:
        found |= needed
        needed = set().union(*(made_of.get(name, set()) for name in needed)) - found
    return found


def _without_idle(blocks: list[Block], variables: set[str]) -> Iterator[Block]:
    animations = " ".join(
        named for rule in _rules(blocks) for named in _ANIMATION.findall(";".join(rule.declarations))
    ).split()

    def sift(blocks: Iterable[Block]) -> Iterator[Block]:
        for block in blocks:
            if block.has_blocks:
                inner = list(sift(block.blocks))
                if inner:
                    yield Block(block.head, blocks=inner)
            elif block.head.startswith(("@keyframes", "@-webkit-keyframes")):
                if block.head.split()[-1] in animations:
                    yield block
            elif block.head.startswith("@"):
                yield block
            else:
                left = [one for one in block.declarations if not one.startswith("--") or _name(one) in variables]
                if left:
                    yield Block(block.head, left)

    return sift(blocks)


def _name(declaration: str) -> str:
    return declaration.partition(":")[0].strip()


def classes_in_use() -> set[str]:
    """Every class that a template, a script or a form's widget names."""
    base = Path(settings.BASE_DIR)
    found: set[str] = set()
    for path in (base / "templates").rglob("*.html"):
        for _quote, value in _CLASS_ATTRIBUTE.findall(_TAG.sub(" ", path.read_text(encoding="utf-8"))):
            found.update(value.split())
    for text in _code(base):
        for value in _IN_CODE.findall(text):
            found.update(value.split())
    return found


def _code(base: Path) -> Iterator[str]:
    scripts = (base / "static" / "js").glob("*.js")
    modules = (path for folder in OWN_FOLDERS for path in (base / folder).rglob("*.py"))
    for path in (*scripts, *modules):
        yield path.read_text(encoding="utf-8")


def tabler() -> str:
    """The style sheet that pages load, made from the whole one."""
    base = Path(settings.BASE_DIR)
    whole = (Path(__file__).parent / "whole" / "tabler" / "tabler.min.css").read_text(encoding="utf-8")
    licence = _COMMENT.search(whole)
    own = "".join(path.read_text(encoding="utf-8") for path in sorted((base / "static" / "css").glob("*.css")))
    return f"{licence.group() if licence else ''}\n{pruned(whole, classes_in_use(), own)}\n"


def tabler_path() -> Path:
    return Path(settings.BASE_DIR, "static", "vendor", "tabler", "tabler.css")


def sprite_path() -> Path:
    return Path(settings.BASE_DIR, "static", "vendor", "icons", "sprite.svg")


def sprite() -> str:
    """The icons without those that nothing names any more."""
    base = Path(settings.BASE_DIR)
    pages = "".join(path.read_text(encoding="utf-8") for path in (base / "templates").rglob("*.html"))
    named = set(re.findall(r"""[#"']([a-z][\w-]*)["']""", pages + "".join(_code(base))))
    whole = sprite_path().read_text(encoding="utf-8")
    return _SYMBOL.sub(lambda symbol: symbol.group() if symbol.group(1) in named else "", whole)
