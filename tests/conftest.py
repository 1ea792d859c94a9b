"""What all tests share: the real small models, found once per session; properties are never judged by time."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.making import gemma3_path, smollm2_path

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct Q4_1, a chat model."""
    return smollm2_path(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def gemma3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gemma 3 270M Q4_K_M, a base model without a chat template."""
    return gemma3_path(tmp_path_factory.mktemp("models"))
