"""Memories for virtual larvae: what they learn adapts the gain with which they follow each stimulus."""

from kenyon.memory.base import Memory
from kenyon.memory.reinforcement import RLmemory, RLOlfMemory, RLTouchMemory
from kenyon.memory.timer import Timer

__all__ = ["Memory", "RLOlfMemory", "RLTouchMemory", "RLmemory", "Timer"]
