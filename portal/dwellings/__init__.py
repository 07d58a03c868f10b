"""Pages of a building and of a dwelling, put together from what the features know of the place."""
