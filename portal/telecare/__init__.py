"""Telecare (F4): an old person's button reaches a human."""
