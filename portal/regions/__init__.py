"""Region tree, buildings, units and dwellings."""
