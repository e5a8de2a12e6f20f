"""Weights: pretrained, trained, adapted, small, archived, exported."""
