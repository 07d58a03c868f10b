"""Scanning passes with a browser's camera: the page of whoever stands at a gate (A5, B1, B4, B5)."""
