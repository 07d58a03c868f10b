"""Invitations and visitors' passes."""
