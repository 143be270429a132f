"""Figures from results alone: panels on axes of one's own, and whole figures made of them."""

from kenyon.conditioning.figures.between_groups import dose_response, groups
from kenyon.conditioning.figures.captions import caption
from kenyon.conditioning.figures.composing import PANELS, compose, learning_figure
from kenyon.conditioning.figures.over_odors import odor_map
from kenyon.conditioning.figures.over_tests import learning_curves, outputs, weights
from kenyon.conditioning.figures.over_time import rates, timeline
from kenyon.conditioning.figures.responses import response_figure
from kenyon.conditioning.figures.spikes import phase_raster, raster
from kenyon.conditioning.figures.surprise import prediction_error

__all__ = [
    "PANELS",
    "caption",
    "compose",
    "dose_response",
    "groups",
    "learning_curves",
    "learning_figure",
    "odor_map",
    "outputs",
    "phase_raster",
    "prediction_error",
    "raster",
    "rates",
    "response_figure",
    "timeline",
    "weights",
]
