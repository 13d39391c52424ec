"""What agents ask for when they look people up by name: names of people whom the benchmark knows, with typing errors.

Only people are asked for who stand in the database under their true name, so that the answer is known: whoever is there
under a nickname alone could not be found by it. Thai: typed as it is stored. English: the same, of people who write in
Latin letters. Romanised: stored in one script and typed in the other, as the bearer or as somebody else spells it.

Among a million people hundreds bear one name exactly. Nobody could tell them apart by a name, so that whoever bears the
name that is meant is as good an answer as the person who was drawn.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final

from django.db import connection

from cdp_site.operations.bench.database import SEED
from cdp_site.operations.company.draws import pick
from cdp_site.operations.company.people import Person, Population
from profiles.models import Profile
from profiles.search import Hit

THAI, ENGLISH, ROMANISED = "thai", "english", "romanised"
KINDS: Final = (THAI, ENGLISH, ROMANISED)

_PORTION = 500
_BOTH_WRONG = 1 / 5  # of questions; the others have one error, in either name
_ROWS: Final = (
    "1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
    "ๅ/-ภถุึคตจขช", "ๆไำพะัีรนยบลฃ", "ฟหกดเ้่าสวง", "ผปแอิืทมใฝ",
)  # fmt: skip
_HANGING: Final = frozenset("ัิีึืฺุู็่้๊๋์ํ๎")  # signs that cannot begin a word
_LEADING: Final = frozenset("เแโใไ")
_NAMES = """
SELECT i.value, i.profile_id, r.attributes ->> 'first_name', r.attributes ->> 'last_name'
  FROM unnest(%s::text[]) AS k(value)
  JOIN profiles_identifier i ON i.kind = 'email' AND i.value = k.value
  JOIN profiles_membership m ON m.profile_id = i.profile_id AND m.valid_to IS NULL
  JOIN profiles_sourcerecord r ON r.id = m.record_id
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is typed, the profiles any of which is meant, and the names (first, last) that are meant, as stored."""

    kind: str
    text: str
    profiles: frozenset[int]
    names: frozenset[tuple[str, str]]

    def is_answered(self, hits: Iterable[Hit]) -> bool:
        """Whether one of them is meant, or bears exactly the name that is meant."""
        return any(hit.profile.pk in self.profiles or _names_of(hit.profile) in self.names for hit in hits)


def _names_of(profile: Profile) -> tuple[str, str]:
    return profile.golden.get("first_name") or "", profile.golden.get("last_name") or ""


def questions(people: int, *, of_each_kind: int) -> dict[str, list[Question]]:
    """So many of each kind, of people from all over the database; the same for the same database."""
    rng = Random(SEED)
    found: dict[str, list[Question]] = {kind: [] for kind in KINDS}
    population = Population(seed=SEED)
    numbers = iter(rng.sample(range(people), people))
    while (portion := list(islice(numbers, _PORTION))) and any(len(those) < of_each_kind for those in found.values()):
        for question in _of_portion([population.person(number) for number in portion], rng):
            if len(found[question.kind]) < of_each_kind:
                found[question.kind].append(question)
    return found


def _of_portion(people: Sequence[Person], rng: Random) -> Iterator[Question]:
    by_email = {person.email: person for person in people}
    profiles: dict[str, set[int]] = defaultdict(set)
    stored: dict[str, set[tuple[str, str]]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [list(by_email)])
        for email, profile_id, first, last in cursor.fetchall():
            profiles[email].add(profile_id)
            stored[email].add((first or "", last or ""))
    for email, person in by_email.items():
        if stored[email]:
            yield from _of_person(person, stored[email], frozenset(profiles[email]), rng)


def _of_person(
    person: Person, stored: set[tuple[str, str]], profiles: frozenset[int], rng: Random
) -> Iterator[Question]:
    thai, latin = (person.given.thai, person.surname.thai), (person.given.latin, person.surname.latin)
    if person.language == "en":
        if latin in stored:
            yield Question(ENGLISH, mistyped(rng, latin), profiles, frozenset({latin}))
        return
    if thai in stored:
        yield Question(THAI, mistyped(rng, thai), profiles, frozenset({thai}))
    if thai in stored and not _is_latin(stored):
        spelled = pick(rng, (latin, (person.given.latin_other, person.surname.latin_other)))
        yield Question(ROMANISED, mistyped(rng, spelled), profiles, frozenset({thai}))
    elif latin in stored and thai not in stored:
        yield Question(ROMANISED, mistyped(rng, thai), profiles, frozenset({latin}))


def _is_latin(stored: set[tuple[str, str]]) -> bool:
    return any(name.isascii() and name for names in stored for name in names)


# --- typing errors ----------------------------------------------------------------------------------------------------


def mistyped(rng: Random, names: tuple[str, str]) -> str:
    """A full name with an error in one of its words, or in both."""
    wrong = rng.random()
    first = wrong < (1 + _BOTH_WRONG) / 2
    last = wrong > (1 - _BOTH_WRONG) / 2
    return f"{slipped(rng, names[0]) if first else names[0]} {slipped(rng, names[1]) if last else names[1]}"


def slipped(rng: Random, word: str) -> str:
    """The word with one error behind its first letter: two neighbours swapped, one letter left out, doubled, or missed
    for a key beside it. What comes out is another text that can be typed in that script."""
    for _ in range(20):
        place = 1 + int(rng.random() * (len(word) - 1))
        candidate = _slip(rng, word, place)
        if candidate != word and not _HANGING.intersection(candidate[:1]) and not _LEADING.intersection(candidate[-1:]):
            return candidate
    return word


def _slip(rng: Random, word: str, place: int) -> str:
    head, letter, tail = word[:place], word[place : place + 1], word[place + 1 :]
    kind = rng.random()
    if kind < 0.3:
        return head + tail[:1] + letter + tail[1:]
    if kind < 0.6:
        return head + tail
    if kind < 0.7:
        return head + letter + letter + tail
    return head + _beside(rng, letter) + tail


def _beside(rng: Random, letter: str) -> str:
    row = next((keys for keys in _ROWS if letter in keys), letter)
    place = row.index(letter)
    beside = (row[max(place - 1, 0)], row[min(place + 1, len(row) - 1)])
    return pick(rng, [key for key in beside if key.isalpha()] or [letter])
