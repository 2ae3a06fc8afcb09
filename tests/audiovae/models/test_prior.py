"""The prior: a density in closed form, a sampler that agrees with it, and streams that never leave the data's range."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from audiovae.dsp.autoregression import fit_autoregression
from audiovae.models.prior import LatentPrior, LatentPriorSettings

SIZE = 3
TURN = np.array([[0.9, -0.3, 0.0], [0.3, 0.9, 0.0], [0.0, 0.2, 0.5]])
FACTOR = np.array([[0.2, 0.0, 0.0], [0.1, 0.2, 0.0], [0.0, 0.1, 0.3]])


def process(n_frames: int, seed: int) -> np.ndarray:
    """A first-order linear process, (n_frames, 3)."""
    rng = np.random.default_rng(seed)
    frames = np.zeros((n_frames, SIZE))
    for index in range(1, n_frames):
        frames[index] = TURN @ frames[index - 1] + FACTOR @ rng.standard_normal(SIZE)
    return 2.0 * frames + [1.0, 0.0, -3.0]


def make_prior(components: int = 4, order: int = 2, spread: float = 0.0) -> LatentPrior:
    """A prior on the process; `spread` is the deviation of random weights, 0 leaves those it starts with."""
    torch.manual_seed(0)
    prior = LatentPrior(LatentPriorSettings(hidden_size=8, components=components, order=order), SIZE)
    prior.initialise(process(2000, seed=0))
    if spread:
        for parameter in prior.parameters():
            torch.nn.init.normal_(parameter, std=spread)
    return prior.eval()


def sample(
    prior: LatentPrior, n_frames: int, temperature: float | Tensor = 1.0, seed: int = 0, batch: int = 1
) -> Tensor:
    noise = torch.randn(batch, prior.n_noise, n_frames, generator=torch.Generator().manual_seed(seed))
    heat = torch.as_tensor(temperature).expand(batch, 1, n_frames)
    with torch.no_grad():
        return prior.roll(prior.init_previous(batch), heat, noise, prior.init_state(batch))[0]


def test_one_component_of_a_silent_network_is_the_linear_gaussian() -> None:
    prior, frames = make_prior(components=1), process(30, seed=5)
    linear = fit_autoregression(process(2000, seed=0), 2)
    found = prior(torch.from_numpy(frames.T[None]).float())[0].detach().numpy()
    np.testing.assert_allclose(found, linear.log_likelihood(frames), atol=1e-4)
    first = multivariate_normal(linear.mean, np.outer(linear.std, linear.std) * (linear.factor @ linear.factor.T))
    assert found[0] == pytest.approx(first.logpdf(frames[0]), abs=1e-4)


def test_the_density_is_one_over_all_frames() -> None:
    """Importance sampling from a wide Gaussian, of the frame after three given ones."""
    prior, past = make_prior(spread=0.2), process(3, seed=2)
    data = process(2000, seed=0)
    wide = multivariate_normal(data.mean(axis=0), 2.0 * np.cov(data, rowvar=False))
    points = wide.rvs(100_000, random_state=np.random.default_rng(0))
    rows = np.concatenate([np.broadcast_to(past, (len(points), 3, SIZE)), points[:, None]], axis=1)
    with torch.no_grad():
        density = prior(torch.from_numpy(rows).float().transpose(1, 2))[:, -1].double().exp().numpy()
    ratio = density / wide.pdf(points)
    assert ratio.mean() == pytest.approx(1.0, abs=0.05)


def test_a_sample_scores_as_the_noise_it_was_made_of() -> None:
    """With one component whose width is fixed, log p + |noise|^2 / 2 is the same at every frame, if every state is."""
    prior = make_prior(components=1, spread=0.3)
    prior.head.weight.data[1 + SIZE :] = 0.0
    prior.low.fill_(-1e6)
    prior.high.fill_(1e6)
    noise = torch.randn(2, prior.n_noise, 50, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        latents, _ = prior.roll(prior.init_previous(2), torch.ones(2, 1, 50), noise, prior.init_state(2))
        level = prior(latents) + 0.5 * noise[:, 1:].square().sum(dim=1)
    assert float(level.max() - level.min()) < 1e-3


def test_blocks_of_any_size_make_one_stream() -> None:
    prior = make_prior(spread=0.4)
    noise, heat = torch.randn(2, prior.n_noise, 40), torch.rand(2, 1, 40)
    with torch.no_grad():
        whole, _ = prior.roll(prior.init_previous(2), heat, noise, prior.init_state(2))
        previous, state, blocks = prior.init_previous(2), prior.init_state(2), []
        for start, end in ((0, 1), (1, 8), (8, 40)):
            block, state = prior.roll(previous, heat[:, :, start:end], noise[:, :, start:end], state)
            previous = block[:, :, -1]
            blocks.append(block)
    torch.testing.assert_close(torch.cat(blocks, dim=2), whole, atol=0, rtol=0)


def test_the_likeliest_path_needs_no_noise_and_more_heat_moves_more() -> None:
    prior = make_prior(spread=0.3)
    torch.testing.assert_close(sample(prior, 20, 0.0, seed=0), sample(prior, 20, 0.0, seed=1), atol=0, rtol=0)
    moved = [float(sample(prior, 500, heat).diff(dim=2).abs().mean()) for heat in (0.0, 0.5, 1.0)]
    assert moved[0] < moved[1] < moved[2]


def test_ten_thousand_frames_stay_within_a_margin_of_the_data() -> None:
    prior, data = make_prior(spread=1.0), process(2000, seed=0)  # weights that nobody trained
    latents = sample(prior, 10_000, torch.tensor([0.0, 1.0, 4.0])[:, None, None], batch=3).numpy()
    margin = 0.1 * np.ptp(data, axis=0)[:, None]
    assert np.isfinite(latents).all()
    assert (latents >= data.min(axis=0)[:, None] - margin - 1e-5).all()
    assert (latents <= data.max(axis=0)[:, None] + margin + 1e-5).all()


def test_a_known_process_is_learnt_to_its_entropy_and_sampled_as_it_is() -> None:
    prior = make_prior(components=3, order=1)
    train, held_out = process(8000, seed=1), process(8000, seed=2)
    rows = torch.from_numpy(train.reshape(200, 40, SIZE)).float().transpose(1, 2)
    optimiser = torch.optim.Adam(prior.parameters(), 0.02)
    for step in range(50):
        for group in optimiser.param_groups:
            group["lr"] = 0.02 * (1 - step / 50)
        loss = -prior(rows).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        found = -float(prior(torch.from_numpy(held_out.T[None]).float()).mean())
    # Entropy rate of a linear process: that of its residual.
    rate = 0.5 * SIZE * math.log(2 * math.pi * math.e) + math.log(2.0**SIZE * np.linalg.det(FACTOR))
    assert found == pytest.approx(rate, rel=0.02)
    sampled = sample(prior, 8000)[0].T.numpy()
    np.testing.assert_allclose(sampled.std(axis=0), held_out.std(axis=0), rtol=0.2)
    assert abs(sampled.mean(axis=0) - held_out.mean(axis=0)).max() < 0.3 * held_out.std()


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_scripted_is_eager() -> None:
    prior = make_prior(spread=0.4)
    scripted = torch.jit.script(prior)
    latents = torch.from_numpy(process(20, seed=3).T[None]).float()
    torch.testing.assert_close(scripted(latents), prior(latents), atol=1e-5, rtol=0)
    previous, state = prior.init_previous(2), prior.init_state(2)
    noise, heat = torch.randn(2, prior.n_noise), torch.ones(2, 1)
    found, after = scripted.step(previous, heat, noise, state)
    expected, expected_after = prior.step(previous, heat, noise, state)
    torch.testing.assert_close([found, *after], [expected, *expected_after], atol=1e-6, rtol=0)


def test_what_is_stored_is_the_whole_prior() -> None:
    prior = make_prior(spread=0.4)
    other = LatentPrior(LatentPriorSettings(hidden_size=8, components=4, order=2), SIZE).eval()
    other.load_state_dict(prior.state_dict(), strict=True)
    torch.testing.assert_close(sample(other, 20), sample(prior, 20), atol=0, rtol=0)
