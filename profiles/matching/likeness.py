"""How alike two values are, from 0 to 1. Pure: no Django."""
