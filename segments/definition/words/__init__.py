"""The words of definitions in each language: for sentences (`describe`) and for the choices of the builder's form."""

from segments.definition.words.base import Names, Words
from segments.definition.words.english import ENGLISH
from segments.definition.words.thai import THAI

LANGUAGES: dict[str, Words] = {"en": ENGLISH, "th": THAI}

__all__ = ["ENGLISH", "LANGUAGES", "THAI", "Names", "Words"]
