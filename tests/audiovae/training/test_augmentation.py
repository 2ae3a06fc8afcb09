"""Excerpts and their variations: closed forms for each, and nothing random but the generator given."""

from __future__ import annotations

import numpy as np
import pytest

from audiovae.training.augmentation import MelAugmentationSettings, MelExcerpts

STILL = {
    "max_layers": 1,
    "speed_octaves": 0,
    "shift_bands": 0,
    "reverse": 0,
    "equaliser_db": 0,
    "gain_low_db": 0,
    "gain_high_db": 0,
}
N_MELS = 16


def settings(**changes: float) -> MelAugmentationSettings:
    return MelAugmentationSettings.model_validate(STILL | changes)


def draw(mels: list[np.ndarray], seed: int = 0, batch_size: int = 64, frames: int = 20, **changes: float) -> np.ndarray:
    return MelExcerpts(mels, settings(**changes)).draw(np.random.default_rng(seed), batch_size, frames)


@pytest.fixture
def mels() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(1, 2, (N_MELS, length)).astype(np.float32) for length in (30, 20, 100)]


@pytest.fixture
def clock() -> list[np.ndarray]:
    """One file whose every band counts its frames from 1, so that a value is a place in the file."""
    return [np.tile(np.arange(1, 101, dtype=np.float32), (N_MELS, 1))]


def test_the_generator_decides_everything(mels: list[np.ndarray]) -> None:
    excerpts = MelExcerpts(mels, MelAugmentationSettings())
    first, again, other = (excerpts.draw(np.random.default_rng(seed), 8, 24) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert first.shape == (8, N_MELS, 24)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert (first >= 0).all()


@pytest.mark.parametrize("variations", [None, settings()])
def test_without_variation_an_excerpt_is_a_piece_of_a_file(mels: list[np.ndarray], variations) -> None:
    batch = MelExcerpts(mels, variations).draw(np.random.default_rng(0), 200, 20)
    windows = [np.lib.stride_tricks.sliding_window_view(mel, 20, axis=1).swapaxes(0, 1) for mel in mels]
    pieces = {piece.tobytes() for piece in np.concatenate(windows)}
    found = {excerpt.tobytes() for excerpt in batch}
    assert found <= pieces
    assert windows[1][0].tobytes() in found  # a file of just this length


def test_every_place_of_a_file_is_drawn_its_last_frame_too(clock: list[np.ndarray]) -> None:
    starts = draw(clock, batch_size=2000, frames=90)[:, 0, 0]
    assert set(starts) == set(range(1, 12))


def test_files_are_drawn_by_the_root_of_their_length() -> None:
    mels = [np.full((N_MELS, length), value, np.float32) for length, value in ((40, 1), (160, 2), (360, 3))]
    counts = np.bincount(draw(mels, batch_size=6000)[:, 0, 0].astype(int))[1:]
    np.testing.assert_allclose(counts / 6000, [1 / 6, 2 / 6, 3 / 6], atol=0.03)


def test_a_file_shorter_than_the_excerpt_lies_whole_within_silence(mels: list[np.ndarray]) -> None:
    starts = set()
    for excerpt in draw([mels[1]], frames=30):
        sounding = np.flatnonzero(excerpt.any(axis=0))
        assert len(sounding) == 20
        np.testing.assert_array_equal(excerpt[:, sounding], mels[1])
        starts.add(sounding[0])
    assert starts == set(range(11))


def test_the_gain_is_the_same_for_all_frames_and_bands(mels: list[np.ndarray]) -> None:
    plain = draw(mels)
    np.testing.assert_allclose(draw(mels, gain_low_db=-6.0, gain_high_db=-6.0), plain * 10 ** (-6 / 20), rtol=1e-6)
    gain_db = 20 * np.log10(draw(mels, gain_low_db=-14.0, gain_high_db=6.0) / plain)
    np.testing.assert_allclose(gain_db, np.broadcast_to(gain_db[:, :1, :1], gain_db.shape), atol=1e-4)
    assert gain_db.min() == pytest.approx(-14, abs=1)
    assert gain_db.max() == pytest.approx(6, abs=1)


def test_layers_add_in_power() -> None:
    level = 3.0
    batch = draw([np.full((N_MELS, 50), level, np.float32)], batch_size=400, max_layers=3)
    power = (batch**2).reshape(400, -1)
    np.testing.assert_allclose(power, np.broadcast_to(power[:, :1], power.shape), rtol=1e-5)
    relative = power[:, 0] / level**2
    # One layer as it is; each further one -12 to 0 dB below the first.
    assert relative.min() == pytest.approx(1.0)
    assert 2.5 < relative.max() <= 3.0
    assert (np.abs(relative - 1) < 1e-6).mean() == pytest.approx(1 / 3, abs=0.08)
    assert relative[relative > 1 + 1e-6].min() > 1 + 10**-1.2 - 1e-3


def test_speed_is_a_factor_of_time(clock: list[np.ndarray]) -> None:
    for excerpt in draw(clock, speed_octaves=1.0, frames=30):
        steps = np.diff(excerpt[0])
        np.testing.assert_allclose(steps, steps[0], atol=1e-4)
        assert 0.5 <= steps[0] <= 2.0
        assert 1 <= excerpt.min() <= excerpt.max() <= 100


def test_double_speed_plays_every_second_frame(clock: list[np.ndarray]) -> None:
    class OneOctaveUp(np.random.Generator):
        def uniform(self, low: float = 0.0, high: float = 1.0, size: object = None) -> np.ndarray:  # type: ignore[override]
            return np.full(size, high if low == -1.0 else 0.0)  # type: ignore[call-overload]

    excerpts = MelExcerpts(clock, settings(speed_octaves=1.0))
    batch = excerpts.draw(OneOctaveUp(np.random.PCG64(0)), 1, 25)
    np.testing.assert_allclose(batch[0, 0], np.arange(1, 51, 2))


def test_reversed_excerpts_run_backwards(clock: list[np.ndarray]) -> None:
    steps = np.diff(draw(clock, reverse=1.0)[:, 0])
    np.testing.assert_array_equal(steps, -np.ones_like(steps))
    mixed = np.diff(draw(clock, reverse=0.5, batch_size=400)[:, 0, :2])
    assert (mixed < 0).mean() == pytest.approx(0.5, abs=0.1)


def test_bands_shift_together_and_the_edge_repeats() -> None:
    ladder = [np.tile(np.arange(N_MELS, dtype=np.float32)[:, None], (1, 40))]
    for excerpt in draw(ladder, shift_bands=3.0):
        band = excerpt[:, 0]
        shift = 8 - band[8]
        assert abs(shift) <= 3
        np.testing.assert_allclose(band, np.clip(np.arange(N_MELS) - shift, 0, N_MELS - 1), atol=1e-4)


def test_the_equaliser_is_smooth_over_bands_and_still_over_time(mels: list[np.ndarray]) -> None:
    curves = 20 * np.log10(draw(mels, batch_size=500, equaliser_db=4.0) / draw(mels, batch_size=500))
    np.testing.assert_allclose(curves, np.broadcast_to(curves[..., :1], curves.shape), atol=1e-4)
    knots = curves[:, [0, -1], 0]  # the curve is drawn at its knots, two of which are the edge bands
    assert knots.std() == pytest.approx(4.0, rel=0.1)
    assert np.abs(np.diff(curves[..., 0], axis=1)).max() < np.ptp(knots)
