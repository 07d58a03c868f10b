"""Cryptography in one place, so that other algorithms can stand in: signing, envelope encryption."""
