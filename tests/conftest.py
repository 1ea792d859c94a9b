"""Fixtures shared by all tests: the real small models, found once per session."""

from pathlib import Path

import pytest

from tests.making import gemma3_path, smollm2_path


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct Q4_1, a chat model."""
    return smollm2_path(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def gemma3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gemma 3 270M Q4_K_M, a base model without a chat template."""
    return gemma3_path(tmp_path_factory.mktemp("models"))
