"""Staff's search: one box for everything that the features can find."""
