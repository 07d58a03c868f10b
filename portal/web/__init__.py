"""Layout, macros, static files, error pages: what every page shares."""
