"""Names of traits and properties that tell what the law calls sensitive (PDPA s.26, GDPR art. 9): health, religion,
origin, opinions, sex life, crimes, body measures.

By the name alone, since nobody has looked at it yet when a source sends it for the first time. What is taken for
sensitive by mistake is hidden until somebody says otherwise; the other mistake would show it to everybody.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from ingestion.normalise.trait_names import canonical_name

_ENGLISH: Final = """
    religion religious faith church creed
    health medical medicine medication disease illness diagnosis diagnoses symptom symptoms allergy allergies allergic
    blood disability disabilities disabled handicap pregnancy pregnant hiv cancer diabetes
    ethnicity ethnic race racial political politics sexuality sexual criminal conviction convictions
    biometric biometrics fingerprint faceprint genetic genetics dna
"""
_WORDS: Final = frozenset(_ENGLISH.split())
_PHRASES: Final = ("trade_union", "labour_union", "labor_union", "union_member")
_IN_THAI: Final = """
    ศาสนา ความเชื่อ สุขภาพ โรค แพ้ยา แพ้อาหาร อาการแพ้ หมู่เลือด กรุ๊ปเลือด พิการ ตั้งครรภ์ เชื้อชาติ ชาติพันธุ์ การเมือง เพศวิถี
    รสนิยมทางเพศ อาชญากรรม สหภาพแรงงาน ลายนิ้วมือ พันธุกรรม ชีวภาพ
"""
_THAI: Final = tuple(_IN_THAI.split())
_STARTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER: Final = re.compile(r"[^a-z]+")
_LONGEST: Final = 200


@lru_cache(maxsize=8_192)
def is_sensitive_name(name: str) -> bool:
    """Whether a name says that what it holds is sensitive.

    >>> [is_sensitive_name(name) for name in ("bloodType", "Health condition", "ศาสนา", "embrace", "race_date_count")]
    [True, True, True, False, True]
    """
    told = name[:_LONGEST]
    if any(word in told for word in _THAI):
        return True
    plain = _OTHER.sub("_", _STARTS.sub("_", told).casefold()).strip("_")
    return not _WORDS.isdisjoint(plain.split("_")) or any(phrase in plain for phrase in _PHRASES)


def is_hidden_name(name: str, *, hidden_traits: Collection[str], hides_sensitive: bool) -> bool:
    """Whether a property or trait, whatever its source calls it, is one of the hidden ones or sounds sensitive to who
    sees nothing sensitive."""
    return canonical_name(name) in hidden_traits or (hides_sensitive and is_sensitive_name(name))
