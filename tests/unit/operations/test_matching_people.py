"""The people by whom the matching of what arrives is measured."""

from cdp_site.operations.bench import matching_people


def test_a_person_is_written_the_same_at_every_time_and_by_either_door() -> None:
    one, again = matching_people.World(), matching_people.World()
    for number in (0, 7, 1_000):
        assert one.at_the_web_shop(number) == again.at_the_web_shop(number)
        assert one.at_the_till(number) == again.at_the_till(number)


def test_the_till_knows_nobody_by_an_identifier() -> None:
    world = matching_people.World()
    for number in range(50):
        attributes, identifiers = world.at_the_till(number)
        assert identifiers == []
        assert not attributes.keys() & {"email", "phone"}
        assert matching_people.comparable_of((attributes, identifiers))["people"]


def test_phones_and_dates_are_compared_as_they_are_kept() -> None:
    world = matching_people.World()
    seen = [matching_people.comparable_of(world.at_the_web_shop(number)) for number in range(50)]
    assert all(record["emails"] for record in seen)
    assert any(record["phones"] for record in seen)
    assert any(record["birth_dates"] for record in seen)
    assert any(record["addresses"] for record in seen)
