"""Memories for virtual larvae: what they learn adapts the gain with which they follow each stimulus."""

from kenyon.memory import checkpoint, qlearning
from kenyon.memory.base import Memory
from kenyon.memory.embedded import MushroomBodyMemory
from kenyon.memory.modalities import RLOlfMemory, RLTouchMemory
from kenyon.memory.mushroom_body import step_together
from kenyon.memory.reinforcement import RLmemory
from kenyon.memory.remote import RemoteBrianModelMemory
from kenyon.memory.rl_population import RLPopulation
from kenyon.memory.timer import Timer

__all__ = [
    "Memory",
    "MushroomBodyMemory",
    "RLOlfMemory",
    "RLPopulation",
    "RLTouchMemory",
    "RLmemory",
    "RemoteBrianModelMemory",
    "Timer",
    "checkpoint",
    "qlearning",
    "step_together",
]
