"""Writing the ledger of consent: nothing else appends to it.

An entry that came by a message bears an id made of the message and of what it says, so that a message which is digested
twice is recorded once. `occurred_at` is the source's clock, never later than `received_at`, which is ours: a clock that
runs ahead must not make a grant that no later refusal can beat.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from cdp_site.core import audit
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent.models import Channel, ConsentEntry, Purpose
from consent.states import Basis, Held, Origin, State, Statement, Verdict, resolve
from ingestion.models import Source
from profiles.models import Profile, SourceRecord
from profiles.signals import ConsentStatement, RejectedConsent
