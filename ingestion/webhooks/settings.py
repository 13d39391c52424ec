"""What a webhook can be told, per kind; stored as JSON and checked whenever it is written."""

import re
from typing import Annotated, Any, Final

import msgspec
from django.utils.translation import gettext_lazy as _

from cdp_site.core import outgoing
from cdp_site.core.errors import MendableError
from ingestion import mappings, vocabulary
from ingestion.models import Webhook
from ingestion.webhooks.signatures import LINE, SHOPIFY, Algorithm, Encoding, Scheme

_HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_PATH: Final = re.compile(r"[^\s.\[\]]+(\[\])*(\.[^\s.\[\]]+(\[\])*)*")

ShortText = Annotated[str, msgspec.Meta(max_length=200)]


class ShopifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`purpose`: for which marketing consents of Shopify are taken; empty: they are not."""

    purpose: ShortText = ""


class LineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keep_text`: what people write is kept. `relay_url`: the company's chatbot, which gets every report as well."""

    keep_text: bool = True
    relay_url: Annotated[str, msgspec.Meta(max_length=outgoing.MAX_URL_LENGTH)] = ""


class GenericSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the system signs (`signatures.Scheme`), and what its JSON means: a saved mapping, where the rows are, and a
    row's own id."""

    mapping: ShortText
    header: ShortText = "X-Signature"
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    signature_prefix: ShortText = ""
    timestamp_header: ShortText = ""
    tolerance_seconds: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 300
    list_path: ShortText = ""
    id_path: ShortText = ""


Settings = ShopifySettings | LineSettings | GenericSettings
TYPES: Final[dict[str, type[Settings]]] = {
    Webhook.Kind.SHOPIFY: ShopifySettings,
    Webhook.Kind.LINE: LineSettings,
    Webhook.Kind.GENERIC: GenericSettings,
}


def read(kind: str, stored: dict[str, Any]) -> Settings:
    settings: Settings = msgspec.convert(stored, TYPES[kind])
    return settings


def checked(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings, complete, to be stored. Raises MendableError with the field that is wrong."""
    try:
        settings = read(kind, given)
    except msgspec.ValidationError as error:
        _before, _mark, path = str(error).rpartition("`$.")
        raise MendableError(_("This setting cannot be used."), field=path.rstrip("`") or None) from error
    match settings:
        case ShopifySettings(purpose=purpose):
            if purpose and purpose not in dict(vocabulary.consent()[0]):
                raise MendableError(_("There is no such purpose."), field="purpose")
        case LineSettings(relay_url=relay_url):
            if relay_url:
                _check_relay(relay_url)
        case GenericSettings():
            _check_generic(settings)
    stored: dict[str, Any] = msgspec.to_builtins(settings)
    return stored


def _check_relay(url: str) -> None:
    try:
        outgoing.check(url)
    except outgoing.RefusedAddress as problem:
        problem.field = "relay_url"
        raise


def _check_generic(settings: GenericSettings) -> None:
    for field, name in (("header", settings.header), ("timestamp_header", settings.timestamp_header)):
        if not _HEADER.fullmatch(name) and (name or field == "header"):
            raise MendableError(_("That is no name of an HTTP header."), field=field)
    for field, path in (("list_path", settings.list_path), ("id_path", settings.id_path)):
        if path and not _PATH.fullmatch(path):
            raise MendableError(_("That is no path in JSON, such as data.items."), field=field)
    if not settings.signature_prefix.isascii() or not settings.signature_prefix.isprintable():
        raise MendableError(_("This setting cannot be used."), field="signature_prefix")
    if mappings.find(settings.mapping) is None:
        raise MendableError(_("There is no mapping of this name."), field="mapping")


def scheme(settings: Settings) -> Scheme:
    """How a report is signed."""
    match settings:
        case ShopifySettings():
            return SHOPIFY
        case LineSettings():
            return LINE
        case GenericSettings() as generic:
            return Scheme(
                header=generic.header,
                algorithm=generic.algorithm,
                encoding=generic.encoding,
                prefix=generic.signature_prefix,
                timestamp_header=generic.timestamp_header,
                tolerance_seconds=generic.tolerance_seconds,
            )
