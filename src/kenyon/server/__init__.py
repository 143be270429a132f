"""The model server: mushroom bodies for every client of Larvaworld, kept whatever happens to it.

`service.Service` is the server itself; it is not imported here, for most who import this only want its settings.
"""

from kenyon.server.settings import DEFAULT_ODORS, MEMORY, Limits, Settings

__all__ = ["DEFAULT_ODORS", "MEMORY", "Limits", "Settings"]
