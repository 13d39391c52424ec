"""All pages, generated from the URLconf: each is there, in its reader's language, with our dates, and light."""

import logging
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache

import brotli
import pytest
from django.contrib.staticfiles import finders

from tests import pages, visible_text
from tests.company import Company, open_company

pytestmark = pytest.mark.django_db

log = logging.getLogger(__name__)
LIMIT = 150 * 1024  # packed by brotli, before charts
# Addresses that show nothing of the company of the tests: adding one here is a decision.
NOTHING_THERE = {
    "openid_connect_callback": "the company's login provider sends people here",
    "mfa_view_recovery_codes": "nobody has recovery codes",
    "consent:certificate": "the request is not carried out yet",
    "consent:copy": "takes a link",
    "consent:letter": "the request was not refused",
    "consent:package": "the request is one for erasure",
    "consent:certificate_page": "the request is not carried out yet",
    "consent:certificate_paper": "the request is not carried out yet",
    "profiles:access_reading": "asks for a period",
    "profiles:edit_trait": "takes a trait",
    "profiles:quality_key": "nobody shares an identifier",
    "segments:script_why": "takes a script",
    "segments:sent": "takes a message that was sent",
}
# Words that are not ours to translate, or are the same in Thai. Adding one here is a decision.
PROPER = frozenset(
    re.findall(
        r"\w+",
        """
        Baan Sabai English EN TH Web shop Point of sale Call centre Members members pos ops
        agent steward marketer compliance analyst admin colleague outsider
        Beige Black Blue Brown Green Grey gray Light blue sky Oak Orange Pink Purple violet Red White Yellow cream
        color category material price name mail archive rejected success messageId erasure matching test
        API POST CRM CSV PDF JSON JSONL XLSX TSV ZIP gzip KB MB URL HTTP HTTPS https SMS POS SFTP ID IP UTF TLS QR PIN
        SQL
        PDPA GPC CCPA GDPR Sec WAL
        Authorization to message text
        marketing analytics phone email sms Control Global Privacy host true properties
        LINE OA Shopify Shopee Lazada Senzing dunnhumby Segment RudderStack SDK Python JavaScript curl SELECT Schema
        Webhook Webhooks Messaging Developers Console Channel secret Basic settings Settings Notifications client
        Tracking mysql mssql Excel Google Ads Meta TikTok Official Account user SHA Newcombe OpenAPI
        """,
    )
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
_ADDRESS = re.compile(r"\b[0-9A-F]{8}\b|\S+@\S+|https?://\S+|\S+://\S+|[\w-]+(?:\.[\w-]+)+|[\w./*-]*[/*_][\w./*-]*")


@pytest.fixture
def company(request: pytest.FixtureRequest) -> Company:
    return open_company(request)


def test_every_address_shows_a_light_page_in_thai_with_thai_dates(company: Company) -> None:
    """One walk: what is there, how it speaks, what it weighs."""
    looked = list(pages.visits(company, "th"))
    gone = {visit.route.name for visit in looked if visit.response.status_code not in (200, 302, 405)}
    assert gone == set(NOTHING_THERE)
    wrong = [f"{visit.route.name}: {amiss}" for visit in looked for amiss in not_thai(visit.html)]
    assert not wrong, "\n".join(wrong)
    weights = {visit.route.name: weight(visit.html) for visit in looked if visit.is_page}
    assert len(weights) > 60
    log.info("heaviest page: %s", max(weights.items(), key=lambda one: one[1]))
    assert {name: bytes_ for name, bytes_ in weights.items() if bytes_ > LIMIT} == {}


def not_thai(html: str) -> Iterator[str]:
    """Texts with words in English, and dates with a year of the Common Era."""
    read = visible_text.read(html)
    for text in set(read.texts):
        words = set(_WORD.findall(_ADDRESS.sub(" ", text))) - PROPER
        if words:
            yield f"{text} ({', '.join(sorted(words))})"
    for machine, shown in read.times:
        datetime.fromisoformat(machine)
        if re.search(r"\b20\d\d\b", shown):
            yield shown


@cache
def packed(path: str) -> int:
    """Size of a static file as it is sent."""
    found = finders.find(path)
    assert isinstance(found, str), path
    with open(found, "rb") as file:
        content = file.read()
    return len(content) if path.endswith(".woff2") else len(brotli.compress(content))


def weight(html: str) -> int:
    """The page, its style sheets and scripts, and the fonts that draw Thai and English in both weights."""
    files = set(re.findall(r'(?:href|src)="/static/([^"#]+)', html))
    fonts = {
        f"vendor/ibm-plex-sans-thai/ibm-plex-sans-thai-{script}-{heft}-normal.woff2"
        for script in ("thai", "latin")
        for heft in (400, 600)
    }
    return len(brotli.compress(html.encode(), quality=5)) + sum(map(packed, files | fonts))
