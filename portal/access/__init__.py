"""Gates, decisions, passages."""
