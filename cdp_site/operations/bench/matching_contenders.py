"""Who finds the people: the product, raw dedupe 3, Splink 5. Each runs in a process of its own.

The product and dedupe learn from the same number of answers, asked by each one's own active learning over the same
pool of records; the answers are the truth's. Splink learns without answers.
"""

import itertools
import logging
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from cdp_site.operations.bench import matching_sets
from cdp_site.operations.bench.matching_sets import People
from profiles.matching import candidates

LABELS: Final = 50
PRODUCT, DEDUPE, SPLINK = "product", "dedupe", "splink"
_THRESHOLD: Final = 0.5  # dedupe's own default
_THRESHOLDS: Final = (0.5, 0.8, 0.95, 0.99, 0.999)  # of Splink, which has none of its own: the best for each set counts


class Found(NamedTuple):
    """The groups, the labels that it took, and over how many links records came together that only a name speaks for
    (None: not told)."""

    groups: list[Sequence[int]]
    labels: int = 0
    name_only: int | None = None


def find(contender: str, name: str, folder: str, seed: str) -> dict[str, Any]:
    """One contender on one set; called in its own process, see `child`."""
    logging.disable(logging.WARNING)
    people = matching_sets.SETS[name](Path(folder) if folder else None)
    began = _cpu()
    found = _CONTENDERS[contender](people, int(seed))
    seconds = _cpu() - began
    measures = judged(people, found.groups)
    return {"cpu": round(seconds, 1), "labels": found.labels, "name_only": found.name_only, **measures}


def judged(people: People, groups: Iterable[Sequence[int]]) -> dict[str, float]:
    """Pairwise, from final groups."""
    found = {pair for group in groups for pair in itertools.combinations(sorted(group), 2)} - people.uncounted
    true = people.true_pairs()
    hits = len(found & true)
    return {
        "precision": hits / len(found) if found else 1.0,
        "recall": hits / len(true),
        "f1": 2 * hits / (len(found) + len(true)),
    }


def product(people: People, seed: int) -> Found:
    """The pool, the questions, the training and the groups as the product's own jobs make them."""
    from profiles.matching.caps import SHARED_BY_MANY
    from profiles.matching.clustering import clusters  # what loads dedupe: only where it runs
    from profiles.matching.learning import Label, train
    from profiles.matching.measures import LEAST_ATTACH
    from profiles.matching.questions import Questions

    pool = {number: people.records[number] for number in _pool(people, seed)}
    questions = Questions(pool, seed=seed)
    labels: list[Label] = []
    while len(labels) < LABELS and (asked := questions.training(1)):
        a, b = asked[0].a, asked[0].b
        same = people.persons[a] == people.persons[b]
        labels.append(Label(a, b, same))
        questions.answer(a, b, same=same)
    matcher = train(pool, labels, seed=seed).matcher
    blocks = defaultdict(list)
    for number, record in people.records.items():
        for key in matcher.keys(record):
            blocks[key].append(number)
    pairs = sorted(
        {
            pair
            for block in blocks.values()
            if 1 < len(block) <= candidates.MOST_IN_BLOCK
            for pair in itertools.combinations(block, 2)
        }
    )
    scores = matcher.score([(people.records[a], people.records[b]) for a, b in pairs])
    scored = ((a, b, score) for (a, b), score in zip(pairs, scores, strict=True))
    groups = clusters(scored, threshold=LEAST_ATTACH)
    explained = (matcher.explain(people.records[a], people.records[b]) for group in groups for a, b, _ in group.links)
    speaking = ({field.field for field in why.fields if field.weight > 0} for why in explained)
    name_only = sum(fields <= SHARED_BY_MANY for fields in speaking)
    return Found([group.records for group in groups], len(labels), name_only)


def dedupe(people: People, seed: int) -> Found:
    """dedupe as its documentation uses it."""
    from dedupe import Dedupe
    from dedupe.variables import Exact, String

    random.seed(seed)
    data = {number: matching_sets.texts(record) for number, record in people.records.items()}
    fields = [field for field in next(iter(data.values())) if any(record[field] for record in data.values())]
    variables = [(Exact if field == "id" else String)(field, has_missing=True) for field in fields]
    learner: Any = Dedupe(variables, num_cores=1)
    numbers = {}
    pool = {}
    for number in _pool(people, seed):
        pool[number] = {**data[number], "number": str(number)}
        numbers[str(number)] = number
    learner.prepare_training(pool)
    labels = 0
    while labels < LABELS and learner.active_learner.candidates:
        ((a, b),) = learner.uncertain_pairs()
        same = people.persons[numbers[a["number"]]] == people.persons[numbers[b["number"]]]
        learner.mark_pairs({"match": [(a, b)] if same else [], "distinct": [] if same else [(a, b)]})
        labels += 1
    learner.train()
    return Found([tuple(map(int, group)) for group, _scores in learner.partition(data, _THRESHOLD)], labels)


def splink(people: People, seed: int) -> Found:
    """Splink as its documentation uses it: u from random pairs, m by expectation-maximisation over two blockings."""
    import pandas as pd
    import splink.comparison_library as compare
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    data = {number: matching_sets.texts(record) for number, record in people.records.items()}
    frame = pd.DataFrame([{"unique_id": number, **record} for number, record in data.items()])
    known = {column for column in frame.columns if frame[column].notna().any()}
    comparisons = {
        "given": compare.NameComparison("given"),
        "family": compare.NameComparison("family"),
        "birth_date": compare.DateOfBirthComparison("birth_date", input_is_string=True),
        "phone": compare.LevenshteinAtThresholds("phone", [1, 2]),
        "email": compare.LevenshteinAtThresholds("email", [1, 3]),
        "id": compare.LevenshteinAtThresholds("id", [1, 2]),
        "address": compare.JaroWinklerAtThresholds("address", [0.9, 0.7]),
        "postcode": compare.LevenshteinAtThresholds("postcode", [1]),
        "place": compare.JaroWinklerAtThresholds("place", [0.9]),
    }
    blockings = [
        block_on(*columns)
        for columns in (("given", "family"), ("birth_date",), ("phone",), ("email",), ("id",), ("address",),
                        ("family", "postcode"), ("given", "postcode"))
        if known.issuperset(columns)
    ]  # fmt: skip
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[comparison for column, comparison in comparisons.items() if column in known],
        blocking_rules_to_generate_predictions=blockings,
    )
    linker = Linker(DuckDBAPI().register(frame), settings)
    linker.training.estimate_probability_two_random_records_match(blockings[1:5], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1_000_000, seed=seed)
    trained = 0
    for blocking in blockings:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(blocking)
        except ValueError:  # Splink 5 refuses an m of 0: a level that a small set never shows under this blocking
            continue
        if (trained := trained + 1) == 2:
            break
    predictions = linker.inference.predict(threshold_match_probability=0.01)
    found = []
    for threshold in _THRESHOLDS:
        clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predictions, threshold_match_probability=threshold
        ).as_pandas_dataframe()
        groups = [tuple(map(int, group)) for group in clustered.groupby("cluster_id")["unique_id"].apply(list)]
        found.append(Found(list(groups)))
    return max(found, key=lambda one: judged(people, one.groups)["f1"])


_CONTENDERS: Final = {PRODUCT: product, DEDUPE: dedupe, SPLINK: splink}


def _pool(people: People, seed: int) -> tuple[int, ...]:
    return candidates.choose_pool(people.records.items(), seed=seed).records


def _cpu() -> float:
    """Seconds of this process and its children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
