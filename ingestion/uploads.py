"""Uploads by browser: bytes go from the socket into the sealed import store, and never in clear to the disk."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from cdp_site.core.models import User
from ingestion import imports
from ingestion.files.intake import Receiver
from ingestion.files.problems import FileProblem
from ingestion.models import FileImport, Source


class SealedUpload(UploadedFile):
    """A file whose content is in the import store already."""

    def __init__(self, receiver: Receiver, name: str, size: int) -> None:
        super().__init__(file=None, name=name, size=size)
        self.receiver = receiver

    def keep(self, *, source: Source, by: User) -> FileImport:
        """Make an import of it. Raises FileProblem."""
        return imports.keep(self.receiver, source=source, file_name=self.name or "", by=by)


class SealingUploadHandler(FileUploadHandler):
    """Django's upload handler for the import page. `problem` says why a file was refused half-way."""

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.receiver: Receiver | None = None
        self.problem: FileProblem | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.discard()  # one file a form
        self.receiver = Receiver()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.receiver is None:
            return
        try:
            self.receiver.write(raw_data)
        except FileProblem as problem:
            self.problem = problem
            self.discard()
            raise SkipFile from problem

    def file_complete(self, file_size: int) -> SealedUpload | None:
        if self.receiver is None:
            return None
        return SealedUpload(self.receiver, self.file_name or "", file_size)

    def upload_interrupted(self) -> None:
        self.discard()

    def discard(self) -> None:
        """Remove what is in the store, unless an import has been made of it."""
        if self.receiver is not None:
            self.receiver.discard()
            self.receiver = None
