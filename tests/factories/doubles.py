"""Made-up people of whom two systems know, mostly without an identifier in common: what a model learns from."""

import random
from dataclasses import dataclass

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import MatchLabel, ReviewPair, SourceRecord
from tests.customers import Tell, identify

_GIVEN = [
    "Somchai", "Suda", "Prasit", "Malee", "Anan", "Wanida", "Kittipong", "Nattaya", "Chaiwat", "Pimchanok",
    "Thanakorn", "Siriporn", "Wichai", "Duangjai", "Sompong", "Ratana", "Narong", "Busaba", "Arthit", "Kanya",
    "Manop", "Jintana", "Surachai", "Orathai", "Pongsak", "Lalita", "Veera", "Sunisa",
]  # fmt: skip
_FAMILY = [
    "Jaidee", "Rakdee", "Srisuk", "Thongchai", "Boonmee", "Wongsa", "Saelim", "Chaiyasit", "Phromma", "Kaewkla",
    "Suwannarat", "Intharat", "Phetcharat", "Bunyasarn", "Rattanakul", "Sukhothai", "Charoensuk", "Limpanich",
    "Tantiwong", "Prasertsuk", "Nilubol", "Yodrak", "Singhara", "Montri",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doubles:
    """`pairs`: the records of one person each, lower id first; `sure`: those of them that an identifier has joined."""

    pairs: tuple[tuple[int, int], ...]
    sure: frozenset[tuple[int, int]]


def tell_of_doubles(tell: Tell, shop: Source, till: Source, *, people: int = 120, seed: int = 7) -> Doubles:
    """Each person is known to both; every fourth by one e-mail address to both, the others by name and birth date, with
    slips of the pen, and by addresses and numbers of which each system has its own."""
    draw = random.Random(seed)
    of_shop, of_till, sure = [], [], []
    for number in range(people):
        given, family = draw.choice(_GIVEN), draw.choice(_FAMILY)
        born = f"{draw.randint(1955, 2004)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"
        person = {"firstName": given, "lastName": family, "birth_date": born}
        written = person if draw.random() < 0.5 else {**person, "lastName": _slip(family, draw)}
        email = f"{given}.{number}@baansabai.co.th".lower()
        other = email if number % 4 == 0 else f"{family}{number}@example.com".lower()
        of_shop.append(identify(f"s{number}", **person, email=email, phone=f"08{draw.randrange(10**8):08}"))
        of_till.append(identify(f"t{number}", **written, email=other, phone=f"09{draw.randrange(10**8):08}"))
        sure.append(number % 4 == 0)
    tell(shop, *of_shop)
    tell(till, *of_till)
    numbers = {record.external_id: record.pk for record in SourceRecord.objects.filter(source__in=(shop, till))}
    pairs = [(numbers[f"s{number}"], numbers[f"t{number}"]) for number in range(people)]
    return Doubles(tuple(pairs), frozenset(pair for pair, known in zip(pairs, sure, strict=True) if known))


def _slip(name: str, draw: random.Random) -> str:
    """A letter left out."""
    place = draw.randrange(1, len(name))
    return name[:place] + name[place + 1 :]


def say(by: User, pair: tuple[int, int], *, same: bool, is_held_out: bool = False) -> MatchLabel:
    """As if the person had answered in review."""
    return MatchLabel.objects.create(
        record_a_id=min(pair),
        record_b_id=max(pair),
        verdict=MatchLabel.Verdict.SAME if same else MatchLabel.Verdict.DIFFERENT,
        origin=MatchLabel.Origin.TRAINING,
        is_held_out=is_held_out,
        by=by,
    )


def answer_all(by: User, doubles: Doubles) -> int:
    """Answer every question that waits, rightly; returns how many."""
    questions = list(ReviewPair.objects.filter(state=ReviewPair.State.WAITING).order_by("pk"))
    for question in questions:
        pair = (question.record_a_id, question.record_b_id)
        say(by, pair, same=pair in doubles.pairs, is_held_out=question.is_held_out)
    ReviewPair.objects.filter(pk__in=[one.pk for one in questions]).update(state=ReviewPair.State.SETTLED)
    return len(questions)
