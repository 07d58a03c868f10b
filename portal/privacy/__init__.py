"""Consent: texts, versions, who agreed to what."""
