# Generated from mqtt/contract by `linli contract generate`, do not edit.
"""The device contract: topics, messages and measures."""
