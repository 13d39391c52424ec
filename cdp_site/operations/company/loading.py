"""The sample company in the database: sent, imported and digested by the doors that every system uses."""

from __future__ import annotations
