"""`/cdp.js`: what a company's web pages load. The address is part of those pages, so it never changes."""

import gzip
import hashlib
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import condition, require_safe

from cdp_site.core.access import public

# A mended snippet reaches every visitor within that time; until then none asks.
CACHE_SECONDS = 3600


class _Snippet(NamedTuple):
    text: bytes
    packed: bytes
    etag: str


@cache
def snippet() -> _Snippet:
    """The file as it is served; it changes with a release alone, which is a new process."""
    text = (settings.BASE_DIR / "static/cdp/cdp.js").read_bytes()
    return _Snippet(text, gzip.compress(text, mtime=0), f'W/"{hashlib.sha256(text).hexdigest()[:20]}"')


@public
@require_safe
@condition(etag_func=lambda request: snippet().etag)
def show(request: HttpRequest) -> HttpResponse:
    """The script, for pages of any origin: it holds no key, and what a page may send is asked of its key."""
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(
        snippet().packed if takes_gzip else snippet().text, content_type="text/javascript; charset=utf-8"
    )
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    response["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response
