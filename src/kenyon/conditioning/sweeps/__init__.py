"""Many questions at once: points over axes, computed on what is there, stored once, collected as one dataset."""

from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.samples import Integers, LogUniform, Uniform
from kenyon.conditioning.sweeps.store import Store
from kenyon.conditioning.sweeps.sweep import Sweep

__all__ = ["Integers", "LogUniform", "Point", "Store", "Sweep", "Uniform"]
