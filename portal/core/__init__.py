"""The ground floor: database, permissions, errors, crypto, outbox and bus. Knows no feature."""
