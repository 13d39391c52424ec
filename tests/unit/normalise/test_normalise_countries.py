"""A country is one, in two letters or three; what papers of it say is in one namespace."""

import phonenumbers
import pytest

from ingestion.normalise.countries import _BY_THREE, country_code
from ingestion.normalise.identifier_kinds import namespace_of


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("US", "US"),
        ("usa", "US"),
        (" Usa ", "US"),
        ("GB", "GB"),
        ("UK", "GB"),
        ("GBR", "GB"),
        ("GBD", "GB"),
        ("TH", "TH"),
        ("THA", "TH"),
        ("D", "DE"),
        ("RKS", "XK"),
        ("USB", None),
        ("Thailand", None),
        ("pos", None),
        ("", None),
    ],
)
def test_codes(written: str, code: str | None) -> None:
    assert country_code(written) == code


def test_every_country_of_the_standard_is_there_once() -> None:
    assert len(_BY_THREE) == len(set(_BY_THREE.values())) == 249
    assert all(len(three) == 3 and len(two) == 2 and (three + two).isupper() for three, two in _BY_THREE.items())
    not_assigned = {"AC", "TA", "XK"}  # Ascension and Tristan da Cunha have numbers of their own, Kosovo no code yet
    assert phonenumbers.SUPPORTED_REGIONS - not_assigned <= set(_BY_THREE.values())
    assert [country_code(three) for three in _BY_THREE] == list(_BY_THREE.values())
    assert [country_code(two) for two in _BY_THREE.values()] == list(_BY_THREE.values())


@pytest.mark.parametrize(
    ("kind", "stated", "meant"),
    [
        ("passport", "usa", "us"),
        ("passport", "us", "us"),
        ("passport", "uk", "gb"),
        ("passport", "our-guests", "our-guests"),
        ("member", "usa", "usa"),
        ("driving_licence", "ca", "ca"),
    ],
)
def test_a_country_is_one_namespace_and_others_are_as_stated(kind: str, stated: str, meant: str) -> None:
    assert namespace_of(kind, stated) == meant
