"""What dedupe compares, field by field. Pure: no Django."""
