"""The parts of the trained scorer that need torch."""
