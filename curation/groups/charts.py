"""The chart of a share in every group, with its interval, beside the share in all. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.intake.charts import CONFIG, FONT, GRID, INK, Figure, Theme

__all__ = ["CONFIG", "Dot", "shares"]
# At least 3:1 against both page grounds; flagged ones have another shape too.
PLAIN, FLAGGED = "#2f7de1", "#d6453d"
ROW = 26


@dataclass(frozen=True)
class Dot:
    """One group's share, in [0, 1]."""

    name: str
    share: float
    low: float
    high: float
    n: int
    is_flagged: bool


def shares(dots: Sequence[Dot], *, everywhere: float | None, title: str, theme: Theme) -> Figure:
    """A dot for each group on a line of its own, the first on top."""
    layout: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": INK[theme]},
        "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
        "height": 90 + ROW * max(len(dots), 1),
        "showlegend": False,
        "hoverlabel": {"font": {"family": FONT, "color": "#151a22"}, "bgcolor": "#ffffff"},
        "xaxis": {
            "title": {"text": title, "standoff": 8},
            "tickformat": ".0%",
            "automargin": True,
            "fixedrange": True,
            "gridcolor": GRID,
            "rangemode": "tozero",
            "nticks": 4,
            "tickangle": 0,
        },
        "yaxis": {
            "automargin": True,
            "fixedrange": True,
            "autorange": "reversed",
            "gridcolor": GRID,
            "type": "category",
        },
    }
    if everywhere is not None:
        layout["shapes"] = [
            {
                "type": "line",
                "x0": everywhere,
                "x1": everywhere,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": INK[theme], "dash": "dot", "width": 1},
            }
        ]
    return {"data": [_trace(dots)], "layout": layout}


def _trace(dots: Sequence[Dot]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [dot.share for dot in dots],
        "y": [dot.name for dot in dots],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [dot.high - dot.share for dot in dots],
            "arrayminus": [dot.share - dot.low for dot in dots],
            "color": GRID.replace("0.28", "0.9"),
            "thickness": 2,
        },
        "customdata": [f"{dot.n:,}" for dot in dots],
        "hovertemplate": "%{y}: %{x:.1%} of %{customdata}<extra></extra>",
        "marker": {
            "size": 10,
            "color": [FLAGGED if dot.is_flagged else PLAIN for dot in dots],
            "symbol": ["diamond" if dot.is_flagged else "circle" for dot in dots],
        },
    }
