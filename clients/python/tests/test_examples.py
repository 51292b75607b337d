"""Every workflow of examples/ that examples/agents serves, run against the real server, with what
comes out of it checked."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from fake import soon
from server import running_server
from tutti import Client

EXAMPLES = Path(__file__).parents[3] / "examples"
sys.path.insert(0, str(EXAMPLES))

import agents  # noqa: E402


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """A client of a server of the test's own, with a worker that serves all agents."""
    async with running_server(tmp_path / "data") as address:
        worker = agents.worker(address)
        serving = asyncio.create_task(worker.serve())
        try:
            async with await Client.connect(address) as client:
                yield client
            worker.stop()
            await soon(serving)
        finally:
            serving.cancel()
            await asyncio.wait({serving})


async def run(client: Client, name: str, input: Any = None) -> dict[str, Any]:
    """The execution of an example, ended; its input is that of `inputs/` unless given."""
    await client.register_workflow(str(EXAMPLES / f"{name}.yaml"))
    given = input if input is not None else json.loads((EXAMPLES / "inputs" / f"{name}.json").read_text())
    return await soon(client.run(name, given))


async def output(client: Client, name: str, input: Any = None) -> Any:
    """What an example gives."""
    execution = await run(client, name, input)
    assert execution["state"] == "COMPLETED", execution.get("error")
    return execution["output"]


def states(execution: dict[str, Any]) -> dict[str, str]:
    return {step["path"]: step["state"] for step in execution["steps"]}


async def test_customer_triage_runs_only_the_steps_an_inquiry_needs(client: Client) -> None:
    given = await output(client, "customer-triage")
    assert given["approved"] and given["escalated"]
    assert given["ticket"] == {"component": "accounts", "ticket": "ENG-5629"}
    assert given["billing"]["double_charge"]
    calm = await run(client, "customer-triage", {"customer": "C-1002", "inquiry": "Where is your office?"})
    assert calm["output"]["answer"] == "Dear Alan, thank you for writing to us."
    skipped = [step for step in ("technical", "escalate", "billing") if states(calm)[step] == "SKIPPED"]
    assert len(skipped) == 3


async def test_the_data_pipeline_joins_any_number_of_sources(client: Client) -> None:
    given = await output(client, "data-pipeline")
    assert given["lines"][0] == "11 values, 12.18 on average"
    assert given["lines"][2] == "expected on day 5: 16" or given["lines"][2] == "expected on day 5: 16.0"
    assert given["rejected"] == 1
    one = {"sources": [{"name": "one", "csv": "day,value\n1,1\n2,2\n3,3\n4,4\n"}]}
    assert (await output(client, "data-pipeline", one))["lines"][0] == "4 values, 2.5 on average"


@pytest.mark.parametrize(
    ("content", "decision", "action"),
    [
        ("You are a stupid idiot and your posts are trash", "reject", "hidden"),
        ("The weather is lovely and my garden is in bloom", "approve", "published"),
        ("Click here, it is a limited thing that I found today", "review", "queued for a moderator"),
    ],
)
async def test_content_moderation_decides_by_its_thresholds(
    client: Client, content: str, decision: str, action: str
) -> None:
    input = {"content_id": "post-1", "user": "user-7", "content": content}
    given = await output(client, "content-moderation", input)
    assert (given["decision"]["decision"], given["action"]) == (decision, action)


async def test_a_diagnosis_weighs_both_pictures(client: Client) -> None:
    given = await output(client, "medical-diagnosis")
    assert given["diagnosis"]["condition"] == "lesion suspected"
    assert given["plan"]["steps"][0] == "biopsy"


async def test_a_session_stays_with_the_desk_that_remembers_it(client: Client) -> None:
    desks = {}
    for number, message in enumerate(["My invoice is wrong", "Which invoice?", "The second invoice"], start=1):
        for session in ("ada", "alan", "grace", "kurt", "emmy"):
            given = await output(client, "support-desk", {"session": session, "message": message})
            assert given["desk"] == desks.setdefault(session, given["desk"])
            assert (given["message"], "invoice" in given["again"]) == (number, number > 1)
    assert len(set(desks.values())) > 1, "not all at one desk"


async def test_a_research_report_goes_through_its_states(client: Client) -> None:
    async def ways(execution: dict[str, Any]) -> list[str]:
        return [
            event["state_changed"]["to"]
            async for event in client.watch(execution["execution_id"])
            if event["kind"] == "state_changed"
        ]

    execution = await run(client, "research-report", {"topic": "AI in healthcare"})
    given = execution["output"]
    assert given["title"] == "AI in healthcare" and given["content"].startswith("# AI in healthcare")
    assert given["sources"] == ["drug-discovery-letters", "hospital-weekly", "law-review", "solar-today"]
    assert await ways(execution) == ["planning", "research", "reporting"]
    assert states(execution)["nothing"] == "SKIPPED"
    wider = await run(client, "research-report", {"topic": "zeppelin hangars", "wider": "solar storage"})
    assert wider["output"]["title"] == "solar storage"
    assert await ways(wider) == ["planning", "research", "planning", "research", "reporting"]
    narrow = await output(client, "research-report", {"topic": "zeppelin hangars"})
    assert narrow["title"] == "zeppelin hangars"


async def test_a_digest_runs_a_research_report_for_each_topic(client: Client) -> None:
    await client.register_workflow(str(EXAMPLES / "research-report.yaml"))
    execution = await run(client, "research-digest", {"topics": ["AI in healthcare", "solar storage"]})
    given = execution["output"]
    assert given["missing"] == 0
    assert [report.split(":")[0] for report in given["reports"]] == ["AI in healthcare", "solar storage"]
    begun = [
        event["child_started"]["workflow"]
        async for event in client.watch(execution["execution_id"])
        if event["kind"] == "child_started"
    ]
    assert begun == ["research-report", "research-report"]


async def test_content_creation_uses_the_reports_of_three_checks(client: Client) -> None:
    given = await output(client, "content-creation")
    assert given["tags"][-1] == "blockchain" and given["corrections"] == 0
    assert "Models propose molecules" in given["text"]


async def test_content_review_goes_back_to_its_checkpoint(client: Client) -> None:
    execution = await run(client, "content-review", {"topic": "drug trials"})
    given = execution["output"]
    assert given["accepted"] and given["rounds"] == 2 and not given["edited"]
    assert "really" not in given["article"]
    asked = states(execution)
    assert asked["draft/gates.after[0].judge"] == "COMPLETED" and asked["last-edit"] == "SKIPPED"
    fine = await output(client, "content-review", {"topic": "drug trials", "addition": "Ask your doctor."})
    assert fine["edited"] and fine["article"].endswith("Ask your doctor.")
    taken = {"topic": "drug trials", "addition": "Four score and seven years ago."}
    back = await run(client, "content-review", taken)
    assert back["output"] == given
    assert states(back)["last-check/catch[0]/back"] == "COMPLETED"


async def test_words_are_counted_over_pages(client: Client) -> None:
    given = await output(client, "map-reduce")
    assert given == {"words": 4, "top": {"leaves": 3, "storm": 3, "came": 1, "went": 2}}


async def test_a_workflow_written_by_an_agent_is_run(client: Client) -> None:
    given = await output(client, "dynamic-workflow", {"goal": "storage for wind and software"})
    assert [given[f"search-{n}"][0]["source"] for n in (1, 2, 3)] == ["solar-today", "grid-report", "law-review"]


async def test_an_article_is_revised_until_its_review_is_content(client: Client) -> None:
    given = await output(client, "refine", {"topic": "drug trials"})
    assert (given["accepted"], given["rounds"]) == (True, 2)
    assert "really" not in given["article"]


async def test_an_orchestrator_hands_out_searches(client: Client) -> None:
    question = {"question": "regulation of medical software and storage for solar"}
    execution = await run(client, "orchestrate", question)
    given = execution["output"]
    assert "law-review" in given["sources"] and "solar-today" in given["sources"]
    assert states(execution)["research/rounds[1]/plan"] == "COMPLETED"


async def test_a_text_is_decomposed_until_its_parts_are_short(client: Client) -> None:
    text = (EXAMPLES / "gettysburg.txt").read_text()
    given = await output(client, "decompose", {"text": text})
    assert given["words"] == len(agents.thinking.words(text))
    assert "nation" in given["keywords"]


async def test_react_answers_with_its_tools(client: Client) -> None:
    question = {"question": "How many people live in France, Italy and Spain?"}
    execution = await run(client, "react", question)
    assert execution["output"] == {"answer": "175 million people", "iterations": 5}
    assert states(execution)["answer[4]/tool/calculator"] == "COMPLETED"


async def test_a_group_agrees_votes_and_is_judged(client: Client) -> None:
    given = await output(client, "group-chat", {"change": "a new checkout"})
    assert given["answer"] == "It is tested and behind a switch."
    assert given["vote"] == "approve"
    assert given["verdict"] == {"verdict": "critic", "reason": "9 words against 8"}


async def test_a_refused_loan_takes_back_what_was_done_newest_first(client: Client) -> None:
    granted = {"applicant_id": "A-1", "amount": 90_000, "income": 48_000}
    assert (await output(client, "loan-approval", granted))["amount"] == 90_000
    execution = await run(client, "loan-approval", {**granted, "amount": 400_000})
    assert (execution["state"], execution["error"]["class"]) == ("FAILED", "refused")
    assert states(execution)["loan_processing/check_credit"] == "COMPENSATED"
    undone = [
        event["step"]
        async for event in client.watch(execution["execution_id"])
        if event["kind"] == "step_compensated"
    ]
    assert undone == ["loan_processing/assess_risk", "loan_processing/check_credit"]


async def test_enterprise_documents_are_integrated_whole_or_not_at_all(client: Client) -> None:
    given = await output(client, "enterprise-documents")
    records = {record["id"]: record for record in given["records"]}
    assert len(records) == 12
    assert records["doc-4"]["fields"]["total"] == "1004.50"
    assert records["doc-1"]["fields"]["parties"] == "Acme GmbH and Bell & Co"
    assert given["integration"]["records"] == 12
    refused = json.loads((EXAMPLES / "inputs" / "enterprise-documents.json").read_text())
    execution = await run(client, "enterprise-documents", {**refused, "downstream": "refuses"})
    assert execution["state"] == "FAILED"
    assert states(execution)["integration/database"] == "COMPENSATED"
    assert states(execution)["integration/search"] == "COMPENSATED"
