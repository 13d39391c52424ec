"""Every address of the URLconf, with its guard."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver


class Route(NamedTuple):
    """`name`: with its namespace, "segments:segment"; `path`: as the URLconf writes it."""

    name: str
    path: str
    pattern: URLPattern

    @property
    def guard(self) -> Any:
        """ "public", a tuple of permissions, or None when nobody decided."""
        view = self.pattern.callback
        site = getattr(getattr(view, "model_admin", view), "admin_site", None)
        return getattr(view if site is None else site, "access", None)

    @property
    def parameters(self) -> set[str]:
        return set(re.findall(r"<(?:\w+:)?(\w+)>", self.path))

    @property
    def example(self) -> str:
        """The path with something plausible for each parameter."""
        fillers = {"uuid": str(UUID(int=7)), "int": "7", "slug": "x", "str": "x", "path": "x"}
        filled = re.sub(r"<(?:(\w+):)?\w+>", lambda found: fillers.get(found[1] or "str", "x"), self.path)
        return "/" + re.sub(r"\(\?P<\w+>[^)]*\)|[\^$\\?]", "x" if "(?P" in filled else "", filled)


def routes() -> list[Route]:
    return list(_walk(get_resolver(), "", ()))


def _walk(resolver: URLResolver, prefix: str, spaces: tuple[str, ...]) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, path, (*spaces, pattern.namespace) if pattern.namespace else spaces)
        else:
            yield Route(":".join((*spaces, pattern.name or "")), path, pattern)
