"""Scripts: what agents say to the customers of a segment. `authoring` writes them, `choosing` finds the one to say."""
