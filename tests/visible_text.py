"""What a reader sees, or hears, of a page: texts of its elements, and of the attributes that stand for texts."""

from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Identifiers, keys and samples are the same in every language.
_SAME_EVERYWHERE = {"script", "style", "code", "pre", "kbd", "samp"}
_SAME_CLASSES = {"mono", "json-text"}
_TEXTS = ("aria-label", "placeholder", "title", "alt", "data-key-label", "data-failed", "data-offline", "data-gone")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.times: list[tuple[str, str]] = []
        self._open: list[tuple[str, bool]] = []  # tag, and whether what is in it is the same in every language
        self._time: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        classes = set(named.get("class", "").split())
        is_same = tag in _SAME_EVERYWHERE or bool(classes & _SAME_CLASSES) or (tag != "html" and "lang" in named)
        is_same = is_same or (bool(self._open) and self._open[-1][1])
        if not is_same:
            self.texts += [named[name] for name in _TEXTS if named.get(name)]
        if tag == "time":
            self._time = named.get("datetime", "")
        if tag not in _VOID:
            self._open.append((tag, is_same))

    def handle_endtag(self, tag: str) -> None:
        if tag == "time":
            self._time = None
        while any(one == tag for one, _same in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if not text:
            return
        if self._time is not None:
            self.times.append((self._time, text))
        if not (self._open and self._open[-1][1]):
            self.texts.append(text)


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader
