"""A data pipeline: tables in, statistics, predictions and trends out."""

from __future__ import annotations

import csv
import io
import statistics
from typing import Any

from tutti import TaskError

Row = dict[str, Any]


def ingest(source: dict[str, str]) -> dict[str, Any]:
    """Reads a table: the first line names the columns."""
    rows = list(csv.DictReader(io.StringIO(source["csv"].strip())))
    if not rows:
        raise TaskError("validation", f"source {source['name']} has no rows")
    return {"source": source["name"], "rows": [{**row, "source": source["name"]} for row in rows]}


def validate(tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Tells the rows that have a day and a number from those that do not."""
    good, bad = [], []
    for row in (row for table in tables for row in table["rows"]):
        try:
            good.append({**row, "day": int(row["day"]), "value": float(row["value"])})
        except (KeyError, TypeError, ValueError):
            bad.append(row)
    return {"rows": good, "rejected": bad, "sources": [table["source"] for table in tables]}


def clean(rows: list[Row]) -> list[Row]:
    """Leaves out doubles and what lies five deviations from the median, and sorts by day."""
    unique = {(row["source"], row["day"]): row for row in rows}
    values = [row["value"] for row in unique.values()]
    middle = statistics.median(values)
    spread = statistics.median(abs(value - middle) for value in values) or 1.0
    kept = [row for row in unique.values() if abs(row["value"] - middle) <= 5 * spread]
    return sorted(kept, key=lambda row: (row["day"], row["source"]))


def stats(rows: list[Row]) -> dict[str, Any]:
    """Describes the values."""
    values = [row["value"] for row in rows]
    return {
        "count": len(values),
        "mean": round(statistics.fmean(values), 2),
        "deviation": round(statistics.pstdev(values), 2),
        "min": min(values),
        "max": max(values),
    }


def predict(rows: list[Row]) -> dict[str, Any]:
    """Fits a line by least squares and follows it one day further."""
    days, values = [row["day"] for row in rows], [row["value"] for row in rows]
    slope, intercept = statistics.linear_regression(days, values)
    following = max(days) + 1
    return {"slope": round(slope, 3), "day": following, "value": round(intercept + slope * following, 2)}


def trend(rows: list[Row]) -> dict[str, Any]:
    """Compares the later half with the earlier one."""
    values = [row["value"] for row in rows]
    half = len(values) // 2
    before, after = statistics.fmean(values[:half]), statistics.fmean(values[half:])
    change = round((after - before) / before * 100, 1)
    return {"direction": "up" if change > 1 else "down" if change < -1 else "flat", "change_percent": change}


def report(input: dict[str, Any]) -> dict[str, Any]:
    """Says all of it in a few lines."""
    stats, ml, trend = input["stats"], input["ml"], input["trend"]
    lines = [
        f"{stats['count']} values, {stats['mean']} on average",
        f"the trend is {trend['direction']} by {trend['change_percent']} %",
        f"expected on day {ml['day']:.0f}: {ml['value']}",
    ]
    return {"title": "Data report", "lines": lines, "rejected": input["rejected"]}


AGENTS = {
    "data-ingestion-agent": ingest,
    "data-validation-agent": validate,
    "data-cleaning-agent": clean,
    "statistical-analysis-agent": stats,
    "ml-prediction-agent": predict,
    "trend-analysis-agent": trend,
    "report-generation-agent": report,
}
