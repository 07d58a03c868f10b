"""Benches: one program a question, one form of answer."""
