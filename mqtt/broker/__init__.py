"""Broker configuration, accounts and rules; the embedded broker."""
