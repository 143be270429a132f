"""A page that shows larvae learn while they do, and a finished run as one file."""
