"""Passes: signed tokens people and cards carry, the keys that sign them, the verdict on a token."""
