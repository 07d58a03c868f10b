"""Residents: registration and approval."""
