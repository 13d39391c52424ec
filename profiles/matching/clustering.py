"""From scored pairs to groups of records. Pure: no Django."""
