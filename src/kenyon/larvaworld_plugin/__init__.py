"""Kenyon's memories in Larvaworld: register them, run its experiments with them, and see what larvae learn there."""

from kenyon.larvaworld_plugin.experiment import run, save_memories
from kenyon.larvaworld_plugin.inspection import check
from kenyon.larvaworld_plugin.registration import register, registered, unregister
from kenyon.larvaworld_plugin.watching import Outcome, Watch, watch, watching

__all__ = [
    "Outcome",
    "Watch",
    "check",
    "register",
    "registered",
    "run",
    "save_memories",
    "unregister",
    "watch",
    "watching",
]
