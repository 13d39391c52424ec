"""What the API takes."""

from rest_framework import serializers

from profiles.forms import LONGEST_REASON

MOST_PROFILES = 20
MOST_RECORDS = 500
LARGEST_ID = 2**63 - 1


class MergePreviewRequest(serializers.Serializer):
    """Which customers are one person."""

    profiles = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=2,
        max_length=MOST_PROFILES,
        help_text="Public ids of the customers who are one person.",
    )


class MergeRequest(MergePreviewRequest):
    """The same, with why."""

    reason = serializers.CharField(
        max_length=LONGEST_REASON, help_text="Kept with the decision, for colleagues. No numbers or addresses, please."
    )


class UnmergePreviewRequest(serializers.Serializer):
    """Which records are somebody else's."""

    profile = serializers.UUIDField(help_text="Public id of the customer.")
    records = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        min_length=1,
        max_length=MOST_RECORDS,
        help_text="Ids of the customer's records that belong to another person (`GET /api/v1/profiles/…`).",
    )
    notes_to = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID),
        required=False,
        help_text="Record of an agent's notes → the record with which they go, where a preview lists `unclear_notes`.",
    )

    def validate_notes_to(self, value: dict[str, int]) -> dict[int, int]:
        """Keys of JSON are texts."""
        if not all(key.isdecimal() and len(key) <= len(str(LARGEST_ID)) for key in value):
            raise serializers.ValidationError("Its keys are ids of records.")
        return {int(key): target for key, target in value.items()}


class UnmergeRequest(UnmergePreviewRequest):
    """The same, with why."""

    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="Kept with the decision, for colleagues.")


class RevertRequest(serializers.Serializer):
    """Which merge or unmerge is taken back."""

    operation = serializers.UUIDField(help_text="As the answer to a merge or unmerge names it.")
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="Kept with the decision, for colleagues.")
