"""Step one of every screen of ingestion: the reader, and what the reader may see."""

from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from cdp_site.core.models import User
from ingestion.models import CorrectionRule, FileImport, Pull, QuarantinedItem, Replay, Source, WatchedFolder
from ingestion.quarantine import Selection


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


def visible_selection(request: HttpRequest, source_id: int, reason: str) -> Selection:
    """The quarantine group that the address names. Raises Http404 like `visible_source`."""
    event, field = request.GET.get("event"), request.GET.get("field")
    return Selection(visible_source(request, source_id), reason, event, field)


def visible_rule(request: HttpRequest, key: UUID) -> CorrectionRule:
    """The newest version of a rule. Raises Http404 for what does not exist and for what is of a source of others."""
    found = CorrectionRule.objects.visible_to(reader(request)).of_key(key).newest_versions().with_people()
    rule: CorrectionRule = get_object_or_404(found)
    return rule


def visible_replay(request: HttpRequest, replay_id: UUID) -> Replay:
    """Raises Http404 for what does not exist and for what is of a source of others."""
    replay: Replay = get_object_or_404(Replay.objects.visible_to(reader(request)).with_people(), pk=replay_id)
    return replay


def visible_pull(request: HttpRequest, pull_id: int) -> Pull:
    """Raises Http404 for what does not exist and for what is of a source of others."""
    pull: Pull = get_object_or_404(Pull.objects.visible_to(reader(request)).with_source(), pk=pull_id)
    return pull


def visible_folder(request: HttpRequest, folder_id: int) -> WatchedFolder:
    """Raises Http404 for what does not exist and for what is of a source of others."""
    folder: WatchedFolder = get_object_or_404(
        WatchedFolder.objects.visible_to(reader(request)).with_source(), pk=folder_id
    )
    return folder
