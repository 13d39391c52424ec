"""Addresses as ad platforms compare them: brought into the form that each asks for, then SHA-256 without salt. Pure.

The addresses come out of the gate, normalised: e-mail in small letters without spaces, phones as E.164. Each platform
hashes what it knows of its users in the same way; another form is another hash, and nobody is found.
"""

from hashlib import sha256
from typing import Final

_GMAIL: Final = ("gmail.com", "googlemail.com")


def hashed(text: str) -> str:
    """SHA-256 in small hexadecimal letters."""
    return sha256(text.encode()).hexdigest()


def email(address: str) -> str:
    """Meta, TikTok, LINE Ads: the address in small letters without spaces."""
    return "".join(address.split()).lower()


def google_email(address: str) -> str:
    """Google: as `email`; addresses of Gmail also without dots and without what follows a plus sign.

    https://developers.google.com/data-manager/api/devguides/concepts/formatting

    >>> google_email("Cloudy.SanFrancisco+shopping@gmail.com"), google_email("user.name+NYC@Example.com")
    ('cloudysanfrancisco@gmail.com', 'user.name+nyc@example.com')
    """
    name, _at, domain = email(address).rpartition("@")
    if domain in _GMAIL:
        name = name.partition("+")[0].replace(".", "")
    return f"{name}@{domain}"


def phone(number: str) -> str:
    """Google, LINE: E.164 with the plus sign, as it comes.

    https://support.google.com/google-ads/answer/7476159
    https://developers.line.biz/en/docs/partner-docs/line-notification-messages/technical-specs/
    """
    return number


def phone_digits(number: str) -> str:
    """Meta, TikTok: the digits alone, the country's code first.

    https://www.facebook.com/business/help/2082575038703844
    https://ads.tiktok.com/help/article/list-of-supported-ids-and-formats-for-a-customer-file

    >>> phone_digits("+66812345678")
    '66812345678'
    """
    return number.removeprefix("+")
