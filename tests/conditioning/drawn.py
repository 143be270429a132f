"""What is drawn on axes, in narrower types than matplotlib's own."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from numpy.typing import NDArray


def error_bars(axes: Axes) -> list[ErrorbarContainer]:
    """Return the lines with error bars of axes that have no other containers."""
    containers = [container for container in axes.containers if isinstance(container, ErrorbarContainer)]
    assert len(containers) == len(axes.containers)
    return containers


def mean_lines(axes: Axes) -> list[Line2D]:
    """Return the lines of those error bars, without the bars."""
    return [container.lines[0] for container in error_bars(axes)]


def xs(line: Line2D) -> NDArray[Any]:
    """Return where the points of a line lie from left to right."""
    return np.asarray(line.get_xdata())


def ys(line: Line2D) -> NDArray[Any]:
    """Return where the points of a line lie from bottom to top."""
    return np.asarray(line.get_ydata())
