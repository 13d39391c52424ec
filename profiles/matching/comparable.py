"""What of a record is compared. Pure: no Django."""
