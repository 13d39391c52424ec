"""Programs with a key, as tests use them."""

import json
from collections.abc import Sequence
from typing import Any

from django.test import Client

from cdp_site.core.machines import keys
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import Department, MachineKey

BY = "system:test"


class Program:
    """Somebody's script that knows its key and nothing else: no cookie, no CSRF token."""

    def __init__(self, text: str, row: MachineKey | None = None) -> None:
        self.text, self._row = text, row
        self._client = Client(enforce_csrf_checks=True)

    @property
    def row(self) -> MachineKey:
        assert self._row is not None
        return self._row

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(path, query, headers=self._headers)

    def post(self, path: str, body: object, **headers: str) -> Any:
        return self._client.post(
            path, json.dumps(body), content_type="application/json", headers={**self._headers, **headers}
        )

    def look_up(self, kind: str, value: str, **more: Any) -> Any:
        return self.post("/api/v1/profiles/lookup", {"kind": kind, "value": value, **more})

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"}


def program(
    *scopes: str, department: Department | None = None, days: int = 30, rate_per_second: int = keys.FASTEST
) -> Program:
    """One whose key has these scopes, else all; of a department's eyes those that it may have."""
    wanted: Sequence[str] = scopes or [
        scope for scope in KeyScope if department is None or scope != KeyScope.CUSTOMERS_MERGE
    ]
    row, text = keys.make(
        name="Website", scopes=wanted, department=department, days=days, rate_per_second=rate_per_second, by=BY
    )
    return Program(text, row)
