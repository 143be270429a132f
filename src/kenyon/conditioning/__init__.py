"""Conditioning experiments on the circuit: paradigms as data, runs, preference, results and figures."""

from kenyon.conditioning.designs import Design
from kenyon.conditioning.experiment import run
from kenyon.conditioning.paradigms import DESCRIPTIONS, Paradigm, paradigm
from kenyon.conditioning.phases import Group, Lived, Phase, Probe, Shuffle, Stage
from kenyon.conditioning.preference import interval
from kenyon.conditioning.results import load, save, summary

__all__ = [
    "DESCRIPTIONS",
    "Design",
    "Group",
    "Lived",
    "Paradigm",
    "Phase",
    "Probe",
    "Shuffle",
    "Stage",
    "interval",
    "load",
    "paradigm",
    "run",
    "save",
    "summary",
]
