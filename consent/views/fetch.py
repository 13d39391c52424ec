"""What the views of this app share."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse


def attachment(parts: Iterable[bytes], content_type: str, name: str) -> StreamingHttpResponse:
    """A file that is written while it is sent, and kept by no cache on the way."""
    response = StreamingHttpResponse(parts, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
