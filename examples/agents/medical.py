"""A made-up radiology desk: two readings of pictures, given as brightness values, a diagnosis
and a plan. No medicine in it."""

from __future__ import annotations

import statistics
from typing import Any


def xray(input: dict[str, Any]) -> dict[str, Any]:
    """Looks for a bright spot: a pixel far above those around it."""
    picture = input["image"]["xray"]
    pixels = [pixel for row in picture for pixel in row]
    limit = statistics.fmean(pixels) + 2 * statistics.pstdev(pixels)
    spots = [[y, x] for y, row in enumerate(picture) for x, pixel in enumerate(row) if pixel > limit]
    return {"finding": "opacity" if spots else "clear", "spots": spots}


def mri(input: dict[str, Any]) -> dict[str, Any]:
    """Compares the left half of the picture with the right one."""
    picture = input["image"]["mri"]
    half = len(picture[0]) // 2
    left = statistics.fmean(pixel for row in picture for pixel in row[:half])
    right = statistics.fmean(pixel for row in picture for pixel in row[half:])
    difference = round(abs(left - right) / max(left, right), 3)
    return {"finding": "asymmetric" if difference > 0.15 else "symmetric", "difference": difference}


def diagnose(input: dict[str, Any]) -> dict[str, Any]:
    """Weighs both readings."""
    findings = {input["xray_results"]["finding"], input["mri_results"]["finding"]}
    abnormal = findings & {"opacity", "asymmetric"}
    condition = {0: "nothing found", 1: "unclear, follow up", 2: "lesion suspected"}[len(abnormal)]
    return {"condition": condition, "confidence": [0.9, 0.55, 0.85][len(abnormal)], "evidence": sorted(abnormal)}


def plan(input: dict[str, Any]) -> dict[str, Any]:
    """Says what is done next."""
    steps = {
        "nothing found": ["routine check in 24 months"],
        "unclear, follow up": ["repeat the pictures in 6 weeks"],
        "lesion suspected": ["biopsy", "oncology consultation", "repeat the MRI in 2 weeks"],
    }
    diagnosis = input["diagnosis"]
    return {"for": diagnosis["condition"], "steps": steps[diagnosis["condition"]]}


AGENTS = {
    "xray-analyzer": (xray, ["analyze_xray"]),
    "mri-analyzer": (mri, ["analyze_mri"]),
    "diagnosis-agent": (diagnose, ["generate_diagnosis"]),
    "treatment-planner": (plan, ["create_treatment_plan"]),
}
