"""Kenyon's memories in Larvaworld: register them, run its experiments with them, and see what larvae learn there."""

from kenyon.larvaworld_plugin.experiment import Outcome, run, save_memories
from kenyon.larvaworld_plugin.inspection import check
from kenyon.larvaworld_plugin.registration import register, registered, unregister

__all__ = ["Outcome", "check", "register", "registered", "run", "save_memories", "unregister"]
