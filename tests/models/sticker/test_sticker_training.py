"""Text vectors, variants, the loss and resuming: what the training command stands on, at a small size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genai_studio.models.sticker import resize, sampler, train, train_flow, train_upsampler
from genai_studio.models.sticker.captions import Names
from genai_studio.models.sticker.checkpoint import Run, average
from genai_studio.models.sticker.dataset import LARGE, SIZE, Dataset, Example, premultiplied
from genai_studio.models.sticker.icons import STYLES
from genai_studio.models.sticker.latents import Captioned, make_variants
from genai_studio.models.sticker.network import StickerAutoencoder, StickerTransformer, StickerUpsampler
from genai_studio.models.sticker.pipeline import StickerPipeline
from genai_studio.models.sticker.text import MAX_WORDS, TOKENS, WIDTH, PromptEncoder, words


@pytest.fixture(scope="module")
def pictures() -> Dataset:
    """Four red squares; the last one's concept is held out."""
    images = np.zeros((4, SIZE, SIZE, 4), np.uint8)
    images[:, 20:-20, 20:-20] = (230, 20, 20, 255)
    names = [Names(n, (n,), ()) for n in ("square", "box", "left arrow", "secret")]
    examples = tuple(Example(i, STYLES[i % 2], n.concept, n, n.concept == "secret") for i, n in enumerate(names))
    return Dataset(images, images.repeat(2, 1).repeat(2, 2), examples)


@pytest.fixture(scope="module")
def captioned(pictures: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Captioned:
    patch = pytest.MonkeyPatch()
    patch.setattr("genai_studio.models.sticker.latents.PAIRS", 3)
    path = tmp_path_factory.mktemp("latents") / "latents.safetensors"
    autoencoder = StickerAutoencoder(widths=(8, 16, 16, 32))
    made = train.cached_latents(pictures, autoencoder, path)
    patch.undo()
    again = train.cached_latents(pictures, autoencoder, path)
    assert torch.equal(made.latents, again.latents)
    return again


def test_held_out_concepts_reach_no_variant_and_no_caption(pictures: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai_studio.models.sticker.latents.PAIRS", 20)
    variants = make_variants(pictures)
    spoken = {text for texts in variants.captions for text in texts}
    assert spoken
    assert not any("secret" in text for text in spoken)


def test_every_latent_has_captions_and_a_style(captioned: Captioned) -> None:
    n = len(captioned.latents)
    assert (captioned.count > 0).all()
    assert captioned.style.shape == captioned.weight.shape == (n,)
    assert int(captioned.first[-1] + captioned.count[-1]) == len(captioned.phrases)
    text, mask = captioned.text(torch.arange(n), torch.Generator().manual_seed(0))
    assert text.shape == (n, TOKENS, WIDTH)
    assert mask[:, 0].all()
    assert torch.allclose(text.norm(dim=-1), mask.float(), atol=2e-3)


def test_a_perfect_prediction_has_no_loss(captioned: Captioned) -> None:
    seen: dict[str, torch.Tensor] = {}

    def perfect(z: torch.Tensor, time: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        seen["z"], seen["time"] = z, time
        draw = torch.Generator().manual_seed(5)
        rows = torch.multinomial(captioned.weight, train_flow.BATCH, replacement=True, generator=draw)
        return captioned.latents[rows].float()

    loss = train_flow.velocity_loss(perfect, captioned, torch.Generator().manual_seed(5))
    assert loss.item() == 0
    assert seen["z"].shape == (train_flow.BATCH, *captioned.latents.shape[1:])
    assert ((seen["time"] > 0) & (seen["time"] < 1)).all()


def test_training_lowers_the_loss(captioned: Captioned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_flow, "BATCH", 16)
    torch.manual_seed(0)
    model = StickerTransformer(width=64, depth=1, heads=1)
    muon, adam = train_flow.optimisers(model)
    draw = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(20):
        loss = train_flow.velocity_loss(model, captioned, draw)
        loss.backward()
        for optimiser in (muon, adam):
            optimiser.step()
            optimiser.zero_grad()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    layer = torch.nn.Linear(2, 2)
    run = Run(tmp_path, "x", seconds=100)
    run.step, run.samples = 7, 70
    run.save(layer=layer)
    run.record(loss=1.5)
    other = torch.nn.Linear(2, 2)
    resumed = Run(tmp_path, "x", seconds=100)
    assert resumed.restore(layer=other)
    assert (resumed.step, resumed.samples) == (7, 70)
    assert torch.equal(layer.weight, other.weight)
    resumed.record(loss=1.0)
    assert resumed.curve.read_text().splitlines()[0] == "step,samples,seconds,loss"
    assert len(resumed.curve.read_text().splitlines()) == 3
    assert not Run(tmp_path, "y", seconds=100).restore(layer=other)


def test_averaging_starts_near_the_model() -> None:
    kept, new = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(kept.weight)
    torch.nn.init.ones_(new.weight)
    average(kept, new, step=0, longest=0.99)
    assert kept.weight.item() == pytest.approx(0.9)
    average(kept, new, step=10**6, longest=0.99)
    assert kept.weight.item() == pytest.approx(0.901)


def test_words() -> None:
    assert words("A cat, with the umbrella!") == ["cat", "with", "umbrella"]
    assert words("红苹果") == ["红苹", "苹果"]
    assert words("猫") == ["猫"]
    assert len(words("one " * 100)) == MAX_WORDS


def test_prompts_do_not_depend_on_their_neighbours() -> None:
    together, _ = PromptEncoder()(["a red heart", "blue fish", ""])
    alone, mask = PromptEncoder()(["a red heart"])
    assert np.array_equal(together[0], alone[0])
    assert mask[0].tolist() == [True] * 3 + [False] * (TOKENS - 3)
    assert not together[2].any()


def test_both_languages_land_together() -> None:
    vectors = PromptEncoder().vectors(["red heart", "红心", "rocket"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_latents_come_back_and_are_bounded(folder: Path) -> None:
    pipeline = StickerPipeline.from_pretrained(folder, low_cpu_mem_usage=False)
    x = torch.rand(2, 4, SIZE, SIZE) * 2 - 1
    latents = pipeline.autoencoder.encode(x)
    assert latents.abs().max() <= 2
    assert pipeline.autoencoder.decode(latents).shape == x.shape
    assert torch.allclose(pipeline.autoencoder.denormalise(pipeline.autoencoder.normalise(latents)), latents, atol=1e-5)


def test_the_pipeline_is_an_ordinary_diffusers_one(folder: Path) -> None:
    pipeline = StickerPipeline.from_pretrained(folder, low_cpu_mem_usage=False)
    pictures = pipeline("a cat", num_inference_steps=2, num_images_per_prompt=2, seed=3)
    assert [p.size for p in pictures] == [(LARGE, LARGE)] * 2
    assert pictures[1].tobytes() == pipeline("a cat", num_inference_steps=2, seed=4)[0].tobytes()


def test_the_schedule_runs_from_noise_to_clean() -> None:
    for shift in (1.0, 3.0):
        times = sampler.schedule(10, shift)
        assert times[0] == 0
        assert times[-1] == 1
        assert (times.diff() > 0).all()
    assert sampler.schedule(10, 3.0)[5] < sampler.schedule(10)[5]


def test_one_step_of_a_perfect_model_lands_on_the_picture() -> None:
    z, clean = sampler.noise((2, 4, 4), 0), torch.ones(2, 4, 4)
    assert torch.allclose(z + sampler.velocity(z, clean, 0.0), clean, atol=1e-6)
    assert torch.equal(z, sampler.noise((2, 4, 4), 0))
    assert not torch.equal(z, sampler.noise((2, 4, 4), 1))


@pytest.mark.parametrize("size", [64, 256, 512])
def test_resizing_stays_in_range_and_below_alpha(size: int) -> None:
    alpha = torch.rand(1, 1, 128, 128)
    picture = torch.cat([torch.rand(1, 3, 128, 128) * alpha, alpha], 1)
    sized = resize.resize(picture, size)
    assert sized.shape == (1, 4, size, size)
    assert sized.min() >= 0
    assert sized.max() <= 1
    assert (sized[:, :3] <= sized[:, 3:]).all()


def test_edges_get_crisp_and_flat_areas_stay() -> None:
    step = torch.tensor([0.2, 0.2, 0.2, 0.3, 0.5, 0.7, 0.8, 0.8, 0.8]).repeat(1, 4, 9, 1)
    sharp = resize.crisp(step)
    assert sharp[0, 0, 4, [0, 1, 7, 8]].tolist() == pytest.approx([0.2, 0.2, 0.8, 0.8])
    assert sharp[0, 0, 4, 3] < step[0, 0, 4, 3]
    assert sharp[0, 0, 4, 5] > step[0, 0, 4, 5]


def test_an_untrained_upsampler_only_interpolates() -> None:
    picture = torch.full((1, 4, 8, 8), 0.5)
    assert torch.allclose(sampler.upsample(StickerUpsampler(width=8), picture), torch.full((1, 4, 16, 16), 0.5))


def test_crops_show_the_same_place_at_two_sizes(pictures: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_upsampler, "decode", lambda autoencoder, latents: decoded)
    decoded = (torch.from_numpy(premultiplied(pictures.images)) + 1) / 2
    draw = np.random.default_rng(0)
    small, large = train_upsampler._crops(pictures, StickerAutoencoder(widths=(8, 8, 8, 8)), np.arange(4), draw)
    assert torch.allclose(torch.nn.functional.avg_pool2d(large, 2), small, atol=1e-6)
