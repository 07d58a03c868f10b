"""Residents' vehicles: registered, verified, found by plate."""
