"""Pages of the profiles app, one module each."""
