"""A file a screen."""
