"""A comparison of names that is easy to foresee, for tests of what is done with the verdict."""


class FullNames:
    """Names are strings. Two words are a full name: equal ones agree, others clearly differ. One word tells nothing."""

    @staticmethod
    def names_clearly_differ(a: str, b: str) -> bool | None:
        return a != b if " " in a and " " in b else None

    @staticmethod
    def names_agree(a: str, b: str) -> bool | None:
        return a == b if " " in a and " " in b else None


FULL_NAMES = FullNames()
