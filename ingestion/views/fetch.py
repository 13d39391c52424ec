"""Step one of every screen of ingestion: the reader, and what the reader may see."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from cdp_site.core.models import User
from ingestion.models import FileImport, QuarantinedItem, Source


def reader(request: HttpRequest) -> User:
    """The logged-in user; behind `@requires` there always is one."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


def visible_source(request: HttpRequest, source_id: int) -> Source:
    """Raises Http404 for what does not exist and for what is not the reader's."""
    source: Source = get_object_or_404(Source.objects.visible_to(reader(request)).with_department(), pk=source_id)
    return source


def company_source(request: HttpRequest, source_id: int) -> Source:
    """One that has keys and can be edited: a system of the company, not this platform's own. Raises Http404."""
    source: Source = get_object_or_404(
        Source.objects.visible_to(reader(request)).external().with_department(), pk=source_id
    )
    return source


def open_item(request: HttpRequest, item_id: int) -> QuarantinedItem:
    """An item that is still held back. Raises Http404."""
    item: QuarantinedItem = get_object_or_404(
        QuarantinedItem.objects.visible_to(reader(request)).open().with_place(), pk=item_id
    )
    return item


def visible_import(request: HttpRequest, import_id: UUID) -> FileImport:
    """Raises Http404 for what does not exist and for what is not of a source of the reader's."""
    file_import: FileImport = get_object_or_404(
        FileImport.objects.visible_to(reader(request)).with_source(), pk=import_id
    )
    return file_import
