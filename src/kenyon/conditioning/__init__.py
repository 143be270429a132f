"""Conditioning experiments on the circuit: paradigms as data, runs, preference, results and figures."""

from kenyon.conditioning.experiment import run
from kenyon.conditioning.paradigms import DESCRIPTIONS, Paradigm, paradigm
from kenyon.conditioning.preference import interval
from kenyon.conditioning.results import load, save, summary

__all__ = ["DESCRIPTIONS", "Paradigm", "interval", "load", "paradigm", "run", "save", "summary"]
