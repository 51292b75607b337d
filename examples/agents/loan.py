"""A bank that lends: a credit check, a risk assessment and an approval, each of which can be
taken back."""

from __future__ import annotations

import hashlib
from typing import Any

from tutti import TaskError

SCORES = {"A-1": 720, "A-2": 655, "A-3": 510}


def number(kind: str, of: str) -> str:
    """The same number for the same thing, so that what is tried again changes nothing."""
    return f"{kind}-{hashlib.sha256(of.encode()).hexdigest()[:6].upper()}"


def check_credit(input: dict[str, Any]) -> dict[str, Any]:
    """Reserves a credit check and gives the score."""
    applicant = input["applicant_id"]
    if applicant not in SCORES:
        raise TaskError("refused", f"no applicant {applicant}")
    return {"check_id": number("CC", applicant), "score": SCORES[applicant]}


def release_check(input: dict[str, Any]) -> dict[str, Any]:
    """Gives a credit check back."""
    return {"released": input["check_id"]}


def assess_risk(input: dict[str, Any]) -> dict[str, Any]:
    """Rates an application by what is asked for and what is earned."""
    application = input["application"]
    ratio = round(application["amount"] / application["income"], 2)
    return {"id": number("RA", application["applicant_id"]), "ratio": ratio, "level": "high" if ratio > 4 else "low"}


def cancel_assessment(input: dict[str, Any]) -> dict[str, Any]:
    """Strikes a risk assessment."""
    return {"cancelled": input["assessment_id"]}


def approve(input: dict[str, Any]) -> dict[str, Any]:
    """Lends, unless the risk is too high."""
    application, risk = input["application"], input["risk"]
    if risk["level"] == "high":
        raise TaskError("refused", f"{application['amount']} is {risk['ratio']} times the income")
    return {"loan_id": number("LN", application["applicant_id"]), "amount": application["amount"]}


def cancel_loan(input: dict[str, Any]) -> dict[str, Any]:
    """Takes a loan back."""
    return {"cancelled": input["loan_id"]}


AGENTS = {
    "credit-check": (check_credit, ["check_credit"]),
    "credit-check-release": (release_check, ["release_credit_check"]),
    "risk-assessment": (assess_risk, ["assess_risk"]),
    "risk-assessment-cancel": (cancel_assessment, ["cancel_assessment"]),
    "loan-processor": (approve, ["approve_loan"]),
    "loan-processor-cancel": (cancel_loan, ["cancel_loan"]),
}
