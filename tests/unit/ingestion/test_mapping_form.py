"""The mapping screen's form: a definition and back, without loss."""

import pytest

from ingestion.files import mapping, presets
from ingestion.mapping_screen import mapping_form
from ingestion.mapping_screen.mapping_form import MappingForm

SAMPLES = {"เพศ": ["ช", "ญ", "ช"], "news": ["Y", "N", "perhaps"]}


def sent_by(form: MappingForm) -> dict[str, str]:
    """What a browser sends of a form."""
    sent = {
        "rows": form.rows.value, "date_order": form.date_order, "years": form.years, "empty": form.empty,
        "without_id": form.without_id, "mapping_name": form.name, "base": form.base,
    }  # fmt: skip
    for row in form.fields:
        told: dict[str, str] = {
            "column": row.column, "value": row.value, "target": row.target, "name": row.name,
            "namespace": row.namespace, "type": row.type,
        }  # fmt: skip
        for step in row.steps:
            place = f"step{step.number}"
            told |= {
                place: step.do, f"{place}-was": step.do, f"{place}-text": step.text, f"{place}-column": step.column,
                f"{place}-values": step.values, f"{place}-other": step.other, f"{place}-order": step.order,
                f"{place}-comma": "1" if step.decimal_comma else "", f"{place}-unsigned": "1" if step.unsigned else "",
            }  # fmt: skip
        if row.kind in ("consent", "answers"):
            part = row.consent
            told |= {
                "consent": "1", "purpose": part.purpose, "channel": part.channel, "when-column": part.when_column,
                "when": part.when, "notice-version": part.notice_version, "notice": part.notice,
                "language": part.language, "how": part.how, "where": part.where,
            }  # fmt: skip
            for answer in part.answers:
                told |= {f"answer{answer.number}-value": answer.value, f"answer{answer.number}": answer.state}
        sent |= {f"{name}-{row.number}": value for name, value in told.items()}
    return sent


def columns_of(definition: dict) -> list[str]:
    return list(dict.fromkeys(mapping.parse(definition).columns))


def through_the_form(definition: dict) -> dict:
    columns = columns_of(definition)
    shown = mapping_form.of_definition(definition, columns, SAMPLES, name="n", base="b")
    return mapping_form.of_post(sent_by(shown), columns, SAMPLES).definition()


@pytest.mark.parametrize("name", sorted(presets.load()))
def test_a_preset_goes_through_the_form_unchanged(name):
    definition = presets.definition(name)
    assert definition is not None

    def fields(of: dict) -> list[str]:
        told = [{**one, "steps": [_plain(step) for step in one.get("steps", [])]} for one in of["fields"]]
        return sorted(str(sorted((key, str(value)) for key, value in one.items() if value)) for one in told)

    def _plain(step: dict) -> dict:
        return {key: value for key, value in step.items() if value not in ("", None, False)} | (
            {"other": step.get("other", "keep")} if step["do"] == "map" else {}
        )

    again = through_the_form(definition)
    assert fields(again) == fields({"fields": [_as_written(one) for one in definition["fields"]]})
    assert {key: again.get(key) for key in ("rows", "date_order", "two_digit_years", "without_id")} == {
        key: definition.get(key) for key in ("rows", "date_order", "two_digit_years", "without_id")
    }


def _as_written(one: dict) -> dict:
    """A field as the form writes it: a property always has its type, and usual words of a consent go without saying."""
    if one["to"] == "property":
        return {"type": "text", **one}
    return {key: value for key, value in one.items() if key != "values"}


GENDER = {"from": "เพศ", "to": "trait", "name": "gender"}
NEWS = {"from": "news", "to": "consent", "purpose": "marketing", "channel": "email"}


def form_of(*fields: dict) -> tuple[MappingForm, list[str]]:
    definition = {"version": 2, "rows": "people", "fields": list(fields)}
    columns = columns_of(definition)
    return mapping_form.of_definition(definition, columns, SAMPLES, name="", base=""), columns


def test_a_new_map_starts_with_the_values_of_the_column():
    form, columns = form_of(GENDER)

    again = mapping_form.of_post({**sent_by(form), "step0-0": "map"}, columns, SAMPLES)

    assert again.fields[0].steps[0].values == "ช = ช\nญ = ญ"
    assert [step.do for step in again.fields[0].steps] == ["map", ""]


def test_a_new_join_puts_a_space_between_and_an_emptied_one_stays_empty():
    form, columns = form_of(GENDER, NEWS)

    new = mapping_form.of_post({**sent_by(form), "step0-0": "join"}, columns, SAMPLES)
    emptied = mapping_form.of_post({**sent_by(new), "step0-text-0": "", "step0-was-0": "join"}, columns, SAMPLES)

    assert (new.fields[0].steps[0].text, emptied.fields[0].steps[0].text) == (" ", "")


def test_a_step_that_is_taken_back_is_gone():
    form, columns = form_of({**GENDER, "steps": [{"do": "trim"}, {"do": "number"}]})

    again = mapping_form.of_post({**sent_by(form), "step0-0": ""}, columns, SAMPLES)

    assert [step.do for step in again.fields[0].steps] == ["number", ""]


def test_usual_words_are_left_to_the_usual_meaning():
    form, columns = form_of(NEWS)
    assert [(one.value, one.state) for one in form.fields[0].consent.answers] == [
        ("Y", "granted"), ("N", "refused"), ("perhaps", ""),
    ]  # fmt: skip
    assert "values" not in form.definition()["fields"][0]

    sent = {**sent_by(form), "answer2-0": "never"}
    assert mapping_form.of_post(sent, columns, SAMPLES).definition()["fields"][0]["values"] == {
        "Y": "granted", "N": "refused", "perhaps": "never",
    }  # fmt: skip


def test_only_a_full_name_offers_to_be_split():
    form, _columns = form_of(GENDER, {"from": "n", "to": "trait", "name": "name"})

    assert ["split_name" in dict(row.step_choices) for row in form.fields] == [False, True]


def test_questions_are_asked_only_where_dates_are_read():
    form, _columns = form_of(GENDER, {"from": "born", "to": "trait", "name": "birth_date"})
    open_dates = {"born": ["3/4/47"], "เพศ": ["1/2/47"]}

    asked = form.with_questions(open_dates)
    assert asked.years_example is not None
    assert asked.order_example is not None
    assert asked.order_example.text == "3/4/47"
    silent = form.with_questions({"born": ["27/9/2521"], "เพศ": ["1/2/47"]})
    assert (silent.years_example, silent.order_example) == (None, None)
