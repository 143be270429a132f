"""The model server: mushroom bodies for every client of Larvaworld, kept whatever happens to it."""

from kenyon.server.service import Service
from kenyon.server.settings import DEFAULT_ODORS, MEMORY, Limits, Settings

__all__ = ["DEFAULT_ODORS", "MEMORY", "Limits", "Service", "Settings"]
