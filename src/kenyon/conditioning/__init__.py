"""Conditioning experiments on the circuit: designs as data, runs, results, statistics and figures."""

from kenyon.conditioning.comparing import compare
from kenyon.conditioning.comparison import Comparison
from kenyon.conditioning.designs import Design
from kenyon.conditioning.experiment import Experiment
from kenyon.conditioning.library import as_design
from kenyon.conditioning.outcome import Results
from kenyon.conditioning.paradigms import DESCRIPTIONS, paradigm
from kenyon.conditioning.phases import Group, Lived, Phase, Probe, Shuffle, Stage
from kenyon.conditioning.results import load, save, summary
from kenyon.conditioning.running import run
from kenyon.conditioning.statistics import interval

__all__ = [
    "DESCRIPTIONS",
    "Comparison",
    "Design",
    "Experiment",
    "Group",
    "Lived",
    "Phase",
    "Probe",
    "Results",
    "Shuffle",
    "Stage",
    "as_design",
    "compare",
    "interval",
    "load",
    "paradigm",
    "run",
    "save",
    "summary",
]
