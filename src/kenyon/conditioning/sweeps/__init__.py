"""Many questions at once: points over axes, computed on what is there, stored once, collected as one dataset."""

from kenyon.conditioning.sweeps.collecting import collect
from kenyon.conditioning.sweeps.failures import Failure
from kenyon.conditioning.sweeps.folder import status
from kenyon.conditioning.sweeps.points import Point
from kenyon.conditioning.sweeps.running import run_sweep
from kenyon.conditioning.sweeps.samples import Integers, LogUniform, Uniform
from kenyon.conditioning.sweeps.sensitivity import sobol_indices, sobol_sample
from kenyon.conditioning.sweeps.status import Status
from kenyon.conditioning.sweeps.store import Store
from kenyon.conditioning.sweeps.sweep import Sweep

__all__ = [
    "Failure",
    "Integers",
    "LogUniform",
    "Point",
    "Status",
    "Store",
    "Sweep",
    "Uniform",
    "collect",
    "run_sweep",
    "sobol_indices",
    "sobol_sample",
    "status",
]
