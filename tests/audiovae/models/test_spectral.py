"""The spectral VAE: untrained it is a PCA; whatever its weights, it is a function of the sound alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from audiovae.models.spectral import SpectralVAE, SpectralVAESettings

N_MELS, STRIDE, LATENT_SIZE = 12, 4, 3


@pytest.fixture
def spec() -> Tensor:
    """Frames with structure: a few smooth patterns that come and go, and noise."""
    rng = np.random.default_rng(0)
    activity = np.cumsum(rng.standard_normal((5, 400)), axis=1)
    frames = rng.uniform(0, 1, (N_MELS, 5)) @ activity + rng.standard_normal((N_MELS, 400))
    return torch.from_numpy(frames.astype(np.float32))


def make_model(spec: Tensor, *, trained: bool, **settings: float) -> SpectralVAE:
    torch.manual_seed(0)
    sizes = SpectralVAESettings.model_validate(
        {"latent_size": LATENT_SIZE, "stride": STRIDE, "capacity": 16, "n_blocks": 2} | settings
    )
    model = SpectralVAE(sizes, N_MELS).eval()
    model.initialise_statistics(spec)
    model.initialise_linear(spec)
    if trained:  # weights as training would leave them: none of them zero
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def pca_of_patches(spec: np.ndarray) -> np.ndarray:
    """Frames rebuilt from the leading components of patches of standardised frames, in plain numpy."""
    mean, std = spec.mean(axis=1, keepdims=True), spec.std(axis=1, ddof=1, keepdims=True)
    patches = ((spec - mean) / std).T.reshape(-1, STRIDE * N_MELS)
    centre = patches.mean(axis=0)
    _, _, components = np.linalg.svd(patches - centre, full_matrices=False)
    kept = components[:LATENT_SIZE]
    rebuilt = (patches - centre) @ kept.T @ kept + centre
    return rebuilt.reshape(-1, N_MELS).T * std + mean


@torch.no_grad()
def test_untrained_it_is_the_pca_of_patches(spec: Tensor) -> None:
    model = make_model(spec, trained=False)
    rebuilt = model.decode(model.encode(spec[None]))[0].numpy()
    np.testing.assert_allclose(rebuilt, pca_of_patches(spec.numpy().astype(np.float64)), atol=1e-4)


@torch.no_grad()
def test_untrained_latents_are_uncorrelated_and_vary_as_their_components(spec: Tensor) -> None:
    model = make_model(spec, trained=False)
    patches = model.standardise(spec).reshape(N_MELS, -1, STRIDE).permute(1, 0, 2).reshape(-1, N_MELS * STRIDE)
    variance = torch.linalg.eigvalsh(torch.cov(patches.T.double())).flip(0)[:LATENT_SIZE].float()
    latents = model.encode(spec[None])[0]
    torch.testing.assert_close(torch.cov(latents), torch.diag(variance / variance[0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(latents.mean(dim=1), torch.zeros(LATENT_SIZE), atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_direction_that_training_never_used_does_not_blow_up(spec: Tensor) -> None:
    still = spec[:, :8].repeat(1, 3)  # two patches, over and over: of rank one
    model = make_model(still, trained=False)
    assert model.encode(spec[None]).abs().max() < 1e4
    torch.testing.assert_close(model.decode(model.encode(still[None]))[0], still, atol=1e-4, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("latent_frames", [1, 2, 17])
def test_any_length_that_is_whole_latent_frames(spec: Tensor, latent_frames: int) -> None:
    model = make_model(spec, trained=True)
    latents = model.encode(spec[None, :, : latent_frames * STRIDE])
    assert latents.shape == (1, LATENT_SIZE, latent_frames)
    assert model.decode(latents).shape == (1, N_MELS, latent_frames * STRIDE)


@torch.no_grad()
def test_a_sound_is_the_same_alone_and_in_a_batch(spec: Tensor) -> None:
    model = make_model(spec, trained=True)
    batch = spec.reshape(N_MELS, 4, 100).transpose(0, 1)
    together, alone = model.encode(batch), torch.cat([model.encode(one[None]) for one in batch])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    decoded_alone = torch.cat([model.decode(one[None]) for one in alone])
    torch.testing.assert_close(model.decode(together), decoded_alone, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_far_from_its_ends_an_excerpt_is_coded_as_in_the_whole(spec: Tensor) -> None:
    model = make_model(spec, trained=True)
    whole, excerpt = model.encode(spec[None]), model.encode(spec[None, :, 80:320])
    torch.testing.assert_close(excerpt[..., 8:-8], whole[..., 28:72], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_encoding_is_deterministic_and_training_is_not(spec: Tensor) -> None:
    model = make_model(spec, trained=True)
    torch.testing.assert_close(model.encode(spec[None]), model.encode(spec[None]), atol=0, rtol=0)
    first, again = model(spec[None])[0], model(spec[None])[0]
    assert (first - again).abs().max() > 1e-3


@torch.no_grad()
def test_decode_is_decode_standardised_in_the_units_of_each_band(spec: Tensor) -> None:
    model = make_model(spec, trained=True)
    latents = model.encode(spec[None])
    torch.testing.assert_close(model.standardise(model.decode(latents)), model.decode_standardised(latents))


@torch.no_grad()
def test_the_log_variance_is_clamped(spec: Tensor) -> None:
    model = make_model(spec, trained=False)
    head = model.encoder[-1]
    assert isinstance(head, nn.Conv1d)
    assert head.bias is not None
    for value, clamped in ((-100.0, -12.0), (100.0, 4.0)):
        head.bias[LATENT_SIZE:] = value
        assert (model.posterior(spec[None])[1] == clamped).all()


@torch.no_grad()
def test_bands_that_never_sound_do_not_divide_by_zero(spec: Tensor) -> None:
    spec[3] = 0.0
    model = make_model(spec, trained=False)
    assert torch.isfinite(model.decode(model.encode(spec[None]))).all()


@pytest.mark.parametrize(
    "wrong",
    [{"latent_size": 0}, {"stride": 0}, {"capacity": 4}, {"n_blocks": 0}, {"kernel_size": 4}, {"dropout": 1.0}],
)
def test_settings_that_make_no_model_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SpectralVAESettings.model_validate(wrong)
