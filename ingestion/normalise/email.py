"""E-mail addresses in the one form in which they are compared."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from ingestion.normalise.text import clean
from ingestion.normalise.values import Normalised, Problem, placeholder_problem

MAX_EMAIL_LENGTH: Final = 254  # RFC 5321 4.5.3.1.3, without the angle brackets

# Plain addresses, which email-validator accepts as they stand; everything else goes through it.
_PLAIN: Final = re.compile(
    r"(?=.{6,254}$)(?=[^@]{1,64}@)[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:com|net|org|info|co\.th|ac\.th|go\.th|or\.th|in\.th|co\.uk|[a-z]{2})"
)
_HYPHENS_OF_IDNA: Final = re.compile(r"(?:@|\.)..--")
_ANGLED: Final = re.compile(r"^[^<>]*<([^<>]+)>$")

_JUNK_LOCAL_PARTS: Final = frozenset(
    {"noemail", "no-email", "no_email", "nomail", "no-mail", "none", "null", "na", "n/a", "noreply", "no-reply",
     "donotreply", "do-not-reply", "notprovided", "unknown", "undefined", "anonymous", "guest", "test", "tester",
     "testing", "test1", "test123", "asdf", "asd", "qwerty", "abc", "aaa", "xxx", "xx", "x", "a", "1", "123", "1234",
     "12345", "email", "mail", "dummy", "fake", "someone", "nobody", "donthave", "mai-mee", "maimee"}
)  # fmt: skip
# RFC 2606 and 6761 reserve some of these for examples; the others are where such addresses are typed.
_JUNK_DOMAINS: Final = frozenset(
    {"example.com", "example.org", "example.net", "test.com", "test.test", "email.email", "noemail.com", "nomail.com",
     "none.com", "no.com", "na.com", "null.com", "abc.com", "aaa.com", "xxx.com", "asdf.com", "a.com", "fake.com",
     "mailinator.com"}
)  # fmt: skip
_JUNK_TOP_LEVELS: Final = ("example", "test", "invalid", "localhost", "local")

_ROLES: Final = frozenset(
    {"info", "sales", "contact", "support", "admin", "administrator", "office", "hello", "hr", "accounting", "account",
     "accounts", "billing", "marketing", "service", "services", "customerservice", "help", "helpdesk", "enquiry",
     "inquiry", "enquiries", "webmaster", "postmaster", "purchase", "purchasing", "order", "orders", "shop", "team",
     "finance", "reception", "reservation", "reservations", "booking", "bookings", "mail", "company", "it", "jobs"}
)  # fmt: skip


def normalise_email(raw: str) -> Normalised:
    """The address in lower case, NFKC, its domain in the letters it is shown in. No DNS is asked.

    The part before the @ is lowered as well: the standard lets a server tell ``Ann`` from ``ann``, none of note does,
    and the difference makes twins of one customer. Dots and +tags are kept, for they do differ at most providers.
    """
    return _normalise(raw)


def is_role_address(address: str) -> bool:
    """Whether a normalised address is a function's (``info@``, ``sales@``), which several people are likely to share.

    Such an address still is evidence; the cap on how many people one value may join decides.
    """
    return address.partition("@")[0].partition("+")[0] in _ROLES


@lru_cache(maxsize=32_768)
def _normalise(raw: str) -> Normalised:
    text = tidy(raw)
    if _PLAIN.fullmatch(text) and not _HYPHENS_OF_IDNA.search(text):
        return _judged(text, raw)
    return read(text, raw)


def tidy(raw: str) -> str:
    """The address as typed, without what comes around it: spaces, mailto:, a name before <…>."""
    text = clean(raw)
    if not text.isascii():
        text = clean(unicodedata.normalize("NFKC", text))
    if angled := _ANGLED.match(text):
        text = angled[1].strip()
    return text.lower().removeprefix("mailto:").strip(" ;,").removesuffix(".")


def read(text: str, raw: str) -> Normalised:
    """The tidied text checked by email-validator: what the fast path must equal."""
    if len(text) > MAX_EMAIL_LENGTH:
        return Normalised.bad(clean(raw), raw, Problem.TOO_LONG)
    if problem := placeholder_problem(text):
        return Normalised.bad(clean(raw), raw, problem)
    # 0.07 s to import; plain addresses do not need it.
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return Normalised.bad(clean(raw), raw, Problem.JUNK if _is_junk(text) else Problem.MALFORMED)
    return _judged(checked.normalized.lower(), raw)


def _judged(address: str, raw: str) -> Normalised:
    if problem := placeholder_problem(address):
        return Normalised.bad(address, raw, problem)
    return Normalised.bad(address, raw, Problem.JUNK) if _is_junk(address) else Normalised.good(address, raw)


def _is_junk(address: str) -> bool:
    local, _, domain = address.partition("@")
    return local in _JUNK_LOCAL_PARTS or domain in _JUNK_DOMAINS or domain.rpartition(".")[2] in _JUNK_TOP_LEVELS
