"""One customer by one identifier, exactly: for programs, who take the answer at its word.

Unlike the search (`profiles.search`) nothing is guessed. An identifier leads to the customer who holds it now, as
evidence: not to who gave it up, nor by what is masked or junk, nor by what a public key claims, since anybody can write
anybody's address into a browser's console.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from ingestion.models import Source
from ingestion.national_ids import sealed
from ingestion.normalise.email import normalise_email
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from ingestion.normalise.national_id import normalise_national_id
from ingestion.normalise.phone import normalise_phone
from profiles import masking
from profiles.models import Identifier, Order, Profile, Touchpoint
from profiles.reading import FALLBACK_REGIONS

MOST = 20  # customers who may be meant; more are not told
LONGEST = 254  # characters, as identifiers are kept
# Kinds that may stand in an address: a number that a system gave says nothing of a person to who reads a log.
IN_ADDRESSES: Final = frozenset({"user", "device", "order"})
_BY_PEOPLE: Final[Mapping[str, str]] = {**KIND_OF_TRAIT, "anonymous": "device"}
_PUBLIC_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Kinds of which there is one namespace for all sources.
_GLOBAL: Final = frozenset({"email", "phone", "citizen"})


class PersonalAddressProblem(MendableError):
    """An identifier that names or reaches a person does not belong in an address, which proxies and browsers keep."""

    code = "personal_in_address"

    def __init__(self) -> None:
        super().__init__(
            "This identifier says who a person is, and addresses are written into logs.",
            field="identifier",
            hint="Send it in the body: POST /api/v1/profiles/lookup.",
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """An identifier as it is asked for. `source`: short name of the system that gave the number; "": any."""

    kind: str
    value: str
    source: str = ""


def of_address(text: str) -> UUID | Asked:
    """What stands in an address: a public id, `user:1001`, `user@web-shop:1001`.

    >>> of_address("user@web-shop:1001")
    Asked(kind='user', value='1001', source='web-shop')

    Raises PersonalAddressProblem, and MendableError for what is neither.
    """
    if _PUBLIC_ID.fullmatch(text):
        return UUID(text)
    head, colon, value = text.replace("\0", "").partition(":")  # no text of the database's holds that character
    kind, _at, source = head.partition("@")
    if not (colon and kind and value.strip()):
        raise MendableError(
            "Neither a public id nor kind:value.", field="identifier", hint="For example user:1001, device:…, order:…"
        )
    if kind not in IN_ADDRESSES or _says_who(value):
        raise PersonalAddressProblem
    return Asked(kind, value, source)


def _says_who(value: str) -> bool:
    """Some systems take an e-mail address or a phone number for a user's number."""
    phone = normalise_phone(value, region=settings.COMPANY_PHONE_REGION)
    return "@" in value or phone.problem is None or normalise_national_id(value).problem is None


def find(asked: Asked, *, by: User) -> list[Profile]:
    """The live customers who hold it now and whom the user may see, at most MOST; of a shared phone there are several.
    Two queries beside the user's scope, three for the number of an order."""
    scope = scope_of(by)
    ids = _of_order(asked, scope) if asked.kind == "order" else _of_identifier(asked, scope)
    return list(Profile.objects.visible_to(by).filter(pk__in=ids).order_by("pk")[:MOST]) if ids else []


def _of_identifier(asked: Asked, scope: Scope) -> list[int]:
    kind = _BY_PEOPLE.get(asked.kind, asked.kind)
    if kind in masking.hidden_kinds(scope):
        return []
    held = Identifier.objects.filter(
        kind=kind, value=normalised(kind, asked.value), is_evidence=True, is_current=True, valid_to__isnull=True
    )
    if asked.source and kind not in _GLOBAL:
        held = held.filter(namespace=asked.source)
    if scope.source_ids is not None:
        held = held.filter(record__source__in=scope.source_ids)
    return list(held.order_by("profile").values_list("profile", flat=True).distinct()[: MOST + 1])


def _of_order(asked: Asked, scope: Scope) -> list[int]:
    sources = Source.objects.filter(slug=asked.source) if asked.source else Source.objects.all()
    if scope.source_ids is not None:
        sources = sources.filter(pk__in=scope.source_ids)
    # Numbers instead of a subquery: with them the index of (source, number) answers.
    numbers = list(sources.values_list("pk", flat=True))
    orders = Order.objects.filter(source__in=numbers, external_id=asked.value.strip(), profile__isnull=False)
    if scope.event_type_ids is not None:
        told = Touchpoint.objects.filter(profile=OuterRef("profile"), order=OuterRef("pk")).within(scope)
        orders = orders.filter(Exists(told))
    return list(orders.order_by("profile").values_list("profile", flat=True).distinct()[: MOST + 1])


def normalised(kind: str, text: str) -> str:
    """As the digest keeps it."""
    if kind == "email":
        return normalise_email(text).value
    if kind == "phone":
        region = settings.COMPANY_PHONE_REGION
        return normalise_phone(text, region=region, fallback_regions=FALLBACK_REGIONS).value
    return sealed(text)["hash"] if kind == "citizen" else text.strip()
