"""The tracking plan: events and properties as they come, and what they are pinned to."""
