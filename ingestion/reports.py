"""What was found in an import: whoever keeps the profiles lends the page that tells it."""

from django.urls import reverse

from cdp_site.core.errors import InternalError
from ingestion.models import FileImport

_url_names: list[str] = []


def lend(url_name: str) -> None:
    """Called once, with the name of an address that takes the operation's id and answers with a fragment."""
    if _url_names:
        raise InternalError("the report of an import is lent twice")
    _url_names.append(url_name)


def address(file_import: FileImport) -> str:
    """Where the import's report is; empty before it begins."""
    [url_name] = _url_names
    return reverse(url_name, args=[file_import.operation_id]) if file_import.operation_id else ""
