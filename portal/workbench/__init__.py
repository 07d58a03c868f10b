"""The workbench of staff (C1): what needs somebody now, over all features; claimed, decided, taken back."""
