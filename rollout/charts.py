"""The rollout page's charts: finished Plotly figures as plain JSON, one function each.

Built as dictionaries, not ``graph_objects``, whose validation costs a page ten milliseconds a
figure; the tests put every figure through that validation instead. A figure is made for the light
or the dark page (``theme``); the arms keep one colour and one shape on both.
"""

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from rollout.statistics.arms import ArmSummary
from rollout.statistics.estimates import Estimate, Measured, NotEnough
from rollout.statistics.wording import percent, points

Figure = dict[str, Any]
Theme = Literal["light", "dark"]

# At least 3:1 against both page grounds, and apart for the colour-blind; shapes differ as well.
ARM_COLOURS = {"control": "#64748b", "treatment": "#2f7de1"}
ARM_SYMBOLS = {"control": "circle", "treatment": "diamond"}
ARM_MARKS = {"control": "●", "treatment": "◆"}  # The symbols, as text.
BAND = "rgba(47, 125, 225, 0.18)"
INK = {"light": "#374151", "dark": "#d1d5db"}
WORSE = {"light": "#b91c1c", "dark": "#f87171"}
GRID = "rgba(128, 138, 155, 0.28)"
FONT = "Inter, ui-sans-serif, system-ui, sans-serif"
CONFIG: dict[str, Any] = {"responsive": True, "displayModeBar": False}
"""What the page passes to ``Plotly.newPlot`` beside a figure."""
MOST_POINTS = 200


@dataclass(frozen=True)
class EffectPoint:
    """The estimated difference in audit accuracy at one look."""

    at: datetime
    difference: Measured


@dataclass(frozen=True)
class DataTable:
    """A figure's numbers for those who cannot see it."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def effect_over_time(
    points_in_time: Sequence[EffectPoint], *, margin: float, theme: Theme = "light"
) -> Figure:
    """The difference in audit accuracy and its interval over time, against the margin.

    ``margin`` is a share (0.05 for five points). Without any estimate the figure says what is
    missing. More than 200 points are thinned; the first and the latest stay.
    """
    known = [
        (point.at, point.difference)
        for point in points_in_time
        if isinstance(point.difference, Estimate)
    ]
    if not known:
        last = points_in_time[-1].difference if points_in_time else None
        said = last.sentence if isinstance(last, NotEnough) else "Nothing has been measured yet."
        return _empty(said, table=_effect_table([]), theme=theme)
    known = _thinned(known)
    figure = _figure(_effect_traces(known), table=_effect_table(known), theme=theme)
    low, high = _effect_range([estimate for _, estimate in known], margin)
    figure["layout"] |= {
        "xaxis": _axis("Time (UTC)", theme)
        | {"type": "date", "range": _time_range(known), "nticks": 5, "tickformat": "%H:%M\n%d %b"},
        "yaxis": _axis("Audit accuracy gain (points)", theme)
        | {"range": [low, high], "zeroline": False},
        "shapes": [_level(0.0, INK[theme], "solid"), _level(-100 * margin, WORSE[theme], "dash")],
        "annotations": [
            _left(0.0, "no difference", INK[theme]) | {"yanchor": "bottom"},
            _left(-100 * margin, f"margin: {100 * margin:g} points worse", WORSE[theme])
            | {"yanchor": "top"},
            _latest(known, INK[theme]),
        ],
    }
    return figure


def arm_rates(summaries: Sequence[ArmSummary], *, theme: Theme = "light") -> Figure:
    """Audit accuracy and thumbs of each arm as dots with their 95 % intervals."""
    measures = [
        ("Audit accuracy (labelled blind)", [(s, s.audit_accuracy) for s in summaries]),
        ("Thumbs up (self-selected)", [(s, s.thumbs_up_share) for s in summaries]),
    ]
    table = _rates_table(measures)
    if not summaries:
        return _empty("No arm has been counted yet.", table=table, theme=theme)
    figure = _figure([], table=table, theme=theme)
    notes: list[dict[str, Any]] = []
    line = 0.0  # Counted downwards: a heading takes one line, an arm its label and its dot.
    for heading, arms in measures:
        notes.append(_left(line, f"<b>{heading}</b>", INK[theme]))
        for summary, measured in arms:
            notes.append(_left(line - 1, _label(summary, measured), INK[theme]))
            if isinstance(measured, NotEnough):
                notes.append(_left(line - 1.8, measured.sentence, INK[theme]))
            else:
                figure["data"].append(_dot(summary, measured, line - 1.8))
            line -= 2
        line -= 1.4
    span = _rates_range([measured for _, arms in measures for _, measured in arms])
    figure["layout"] |= {
        "height": round(60 - 24 * line),
        "xaxis": _axis("Share, 95 % interval (%)", theme)
        | {"range": list(span), "zeroline": False, "nticks": 6},
        "yaxis": {"visible": False, "range": [line + 0.6, 0.6], "fixedrange": True},
        "annotations": notes,
    }
    return figure


def data_table(figure: Figure) -> DataTable:
    """The numbers behind a figure made here, as a table for screen readers."""
    return DataTable(**figure["layout"]["meta"]["table"])


def _figure(traces: list[dict[str, Any]], *, table: DataTable, theme: Theme) -> Figure:
    return {
        "data": traces,
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": INK[theme]},
            "margin": {"l": 8, "r": 24, "t": 12, "b": 8},  # Half a tick label fits right.
            "height": 320,
            "showlegend": False,
            "hovermode": "closest",
            "hoverlabel": {"font": {"family": FONT}},
            "meta": {"table": asdict(table)},
        },
    }


def _empty(said: str, *, table: DataTable, theme: Theme) -> Figure:
    figure = _figure([], table=table, theme=theme)
    note = {"text": said, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    figure["layout"] |= {
        "height": 120,
        "xaxis": {"visible": False},
        "yaxis": {"visible": False},
        "annotations": [note],
    }
    return figure


def _axis(title: str, theme: Theme) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 8},
        "automargin": True,
        "fixedrange": True,  # Dragging to zoom traps a finger that wants to scroll.
        "gridcolor": GRID,
        "linecolor": GRID,
        "tickfont": {"color": INK[theme]},
    }


def _thinned(known: list[tuple[datetime, Estimate]]) -> list[tuple[datetime, Estimate]]:
    step = -(-len(known) // MOST_POINTS)
    thinned = known[::step]
    return thinned if thinned[-1] == known[-1] else [*thinned, known[-1]]


def _effect_traces(known: list[tuple[datetime, Estimate]]) -> list[dict[str, Any]]:
    at = [moment.isoformat() for moment, _ in known]
    edge = {"type": "scatter", "x": at, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    latest = known[-1][1]
    colour = ARM_COLOURS["treatment"]
    return [
        edge | {"name": "upper end", "y": [100 * estimate.high for _, estimate in known]},
        edge
        | {
            "name": "lower end",
            "y": [100 * estimate.low for _, estimate in known],
            "fill": "tonexty",
            "fillcolor": BAND,
        },
        {
            "type": "scatter",
            "name": "treatment − control",
            "x": at,
            "y": [100 * estimate.value for _, estimate in known],
            "mode": "lines",
            "line": {"color": colour, "width": 2},
            "text": [f"{points(estimate)}, n {estimate.n:,}" for _, estimate in known],
            "hovertemplate": "%{x|%d %b %H:%M}<br>%{text}<extra></extra>",
        },
        {
            "type": "scatter",
            "name": "latest",
            "x": at[-1:],
            "y": [100 * latest.value],
            "mode": "markers",
            "marker": {"color": colour, "symbol": ARM_SYMBOLS["treatment"], "size": 11},
            "error_y": _error_bar(latest, colour),
            "cliponaxis": False,
            "hoverinfo": "skip",
        },
    ]


def _error_bar(estimate: Estimate, colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (estimate.high - estimate.value)],
        "arrayminus": [100 * (estimate.value - estimate.low)],
        "color": colour,
        "thickness": 2,
        "width": 5,
    }


def _effect_range(estimates: list[Estimate], margin: float) -> tuple[float, float]:
    """The visible span, in points, set by the later half: the first intervals are far wider."""
    later = estimates[len(estimates) // 2 :]
    low = min(-margin, *(estimate.low for estimate in later))
    high = max(0.0, *(estimate.high for estimate in later))
    room = 0.12 * (high - low)
    return 100 * (low - room), 100 * (high + room)


def _time_range(known: list[tuple[datetime, Estimate]]) -> list[str]:
    """From the first look to the latest and a little more; half an hour around a single one."""
    first, last = known[0][0], known[-1][0]
    if first == last:
        return [(first + side * timedelta(minutes=30)).isoformat() for side in (-1, 1)]
    return [first.isoformat(), (last + 0.04 * (last - first)).isoformat()]


def _effect_table(known: list[tuple[datetime, Estimate]]) -> DataTable:
    return DataTable(
        "Audit accuracy, treatment minus control, over time, with an interval valid at every look",
        ("Time (UTC)", "Difference", "Audit labels"),
        tuple(
            (f"{at:%Y-%m-%d %H:%M}", points(estimate), f"{estimate.n:,}") for at, estimate in known
        ),
    )


def _level(y: float, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": colour, "width": 1.5, "dash": dash},
    }


def _left(y: float, text: str, colour: str) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "y": y,
        "showarrow": False,
        "font": {"color": colour},
        "align": "left",
    }


def _latest(known: list[tuple[datetime, Estimate]], colour: str) -> dict[str, Any]:
    """The latest estimate in figures, above its bar and inside the chart."""
    at, estimate = known[-1]
    return {
        "text": f"<b>{points(estimate)}</b>",
        "x": at.isoformat(),
        "y": 100 * estimate.high,
        "xanchor": "right" if len(known) > 1 else "center",
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": colour},
    }


def _rates_range(measured: list[Measured]) -> tuple[float, float]:
    known = [estimate for estimate in measured if isinstance(estimate, Estimate)]
    if not known:
        return 0.0, 100.0
    low = min(estimate.low for estimate in known)
    high = max(estimate.high for estimate in known)
    room = max(0.02, 0.08 * (high - low))
    return 100 * max(0.0, low - room), 100 * min(1.0, high + room)


def _label(summary: ArmSummary, measured: Measured) -> str:
    arm = summary.counts.arm
    version = html.escape(summary.counts.model_version)
    text = f'<span style="color:{ARM_COLOURS[arm]}">{ARM_MARKS[arm]}</span> {arm} {version}'
    if isinstance(measured, NotEnough):
        return text
    return f"{text} · {percent(measured)} · n {measured.n:,}"


def _dot(summary: ArmSummary, estimate: Estimate, line: float) -> dict[str, Any]:
    arm = summary.counts.arm
    colour = ARM_COLOURS[arm]
    return {
        "type": "scatter",
        "name": arm,
        "x": [100 * estimate.value],
        "y": [line],
        "mode": "markers",
        "marker": {"color": colour, "symbol": ARM_SYMBOLS[arm], "size": 11},
        "error_x": _error_bar(estimate, colour),
        "cliponaxis": False,
        "hoverinfo": "skip",  # The label says it all.
    }


def _rates_table(measures: list[tuple[str, list[tuple[ArmSummary, Measured]]]]) -> DataTable:
    return DataTable(
        "Audit accuracy and thumbs of each arm, with 95 % intervals",
        ("Measure", "Arm", "Version", "Share", "n"),
        tuple(
            (heading, s.counts.arm, s.counts.model_version, percent(measured), _n(measured))
            for heading, arms in measures
            for s, measured in arms
        ),
    )


def _n(measured: Measured) -> str:
    return f"{measured.n:,}" if isinstance(measured, Estimate) else ""
