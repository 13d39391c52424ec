"""The number that calls: as telephone systems write it, and as it is kept while the call lasts."""

import re

from django.conf import settings

from cdp_site.core import hashing
from ingestion.normalise.phone import normalise_phone
from ingestion.normalise.values import Problem
from profiles.models import Call
from profiles.reading import FALLBACK_REGIONS

LONGEST = 100  # characters of what a telephone system or an agent writes
# A SIP or telephone address (RFC 3261, RFC 3966): the number stands before the host and the parameters.
_ADDRESS = re.compile(r"^(?:sips?|tel):([^@;?]+)", re.IGNORECASE)


def read(text: str) -> str | None:
    """The number in E.164; None for a withheld one, an extension of the house, or what is no number.

    >>> read("sip:+66863451972@pbx.example.com;user=phone")
    '+66863451972'
    >>> read("anonymous") is None
    True
    """
    address = _ADDRESS.match(text.strip())
    found = normalise_phone(
        address[1] if address else text, region=settings.COMPANY_PHONE_REGION, fallback_regions=FALLBACK_REGIONS
    )
    return found.value if found.problem in (None, Problem.SWITCHBOARD) else None


def kept(number: str | None) -> dict[str, bytes | str | None]:
    """The fields of a call that hold its number."""
    if number is None:
        return {"number_hash": b"", "last_four": "", "sealed_number": None}
    return {
        "number_hash": hashing.identifier_key("phone", "global", number),
        "last_four": number[-4:],
        "sealed_number": hashing.seal(number.encode()),
    }


def of_call(call: Call) -> str | None:
    """The number in E.164 while the call lasts; None when it was withheld or the call has ended."""
    return hashing.unseal(bytes(call.sealed_number)).decode() if call.sealed_number else None
