"""Sessions in the database under a keyed hash: who reads the table, or a stolen copy of it, cannot become its users.

The browser's cookie holds the session's own key; the row is found by an HMAC of it under SECRET_KEY, which is not in
the database. The content is signed with the same key, so no row of one's own making is taken either.
"""

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone
from django.utils.crypto import salted_hmac

_SALT = "cdp_site.core.login.session_store"
_LENGTH = 40  # characters that the column holds: 160 bits


def stored_key(session_key: str) -> str:
    """The key under which the row of a session is kept."""
    return salted_hmac(_SALT, session_key, algorithm="sha256").hexdigest()[:_LENGTH]


class SessionStore(db.SessionStore):
    """Django's sessions in the database, except for the key of the row."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        key = self.session_key
        found = (
            self.model.objects.filter(session_key=stored_key(key), expire_date__gt=timezone.now()).first()
            if key
            else None
        )
        if found is None:
            self._session_key = None
        return found

    async def _aget_session_from_db(self) -> AbstractBaseSession | None:
        key = self.session_key
        rows = self.model.objects.filter(session_key=stored_key(key or ""), expire_date__gt=timezone.now())
        found = await rows.afirst() if key else None
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(stored_key(session_key))

    async def aexists(self, session_key: str) -> bool:
        return await super().aexists(stored_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)
        return row

    async def acreate_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        row = await super().acreate_model_instance(data)
        row.session_key = stored_key(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(stored_key(key))

    async def adelete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            await super().adelete(stored_key(key))
