"""Passes: tokens, keys, what a screen shows."""
