"""Text to phones: words, their pronunciations with variants, and which variant was read."""
