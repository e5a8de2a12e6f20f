"""Trains, evaluates, fuses and compares pretrained speech encoders on non-native English pronunciation."""

__version__ = "0.1.0"
