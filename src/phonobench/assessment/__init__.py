"""The trained scorer, and what it says of a recording."""
