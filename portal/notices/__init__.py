"""Notices: what the community tells its people, and who has seen it (D2, D3)."""
