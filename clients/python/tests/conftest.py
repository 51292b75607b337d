"""What several test files share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from fake import Fake


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[Fake]:
    """A scripted server."""
    async with Fake() as server:
        yield server
