"""Noise by place: normal, independent, and the same however it is asked for."""

from __future__ import annotations

import torch

from audiovae.export.counter_noise import counter_noise, hash_integers

CPU = torch.device("cpu")


def test_blocks_of_any_size_and_any_batch_give_the_same_noise() -> None:
    whole = counter_noise(3, 5, 40, 7, CPU)
    parts = [counter_noise(2, 5, n, start, CPU) for start, n in ((7, 1), (8, 30), (38, 9))]
    assert torch.equal(torch.cat(parts, dim=2), whole[:2])


def test_it_is_normal_and_independent_between_signals_dimensions_and_frames() -> None:
    noise = counter_noise(4, 8, 20_000, 0, CPU)
    rows = noise.reshape(32, -1)
    assert rows.isfinite().all()
    torch.testing.assert_close(rows.mean(dim=1), torch.zeros(32), atol=0.03, rtol=0)
    torch.testing.assert_close(torch.cov(rows), torch.eye(32), atol=0.04, rtol=0)
    torch.testing.assert_close(
        torch.cov(torch.cat([rows[:, 1:], rows[:, :-1]]))[:32, 32:], torch.zeros(32, 32), atol=0.03, rtol=0
    )
    expected = torch.distributions.Normal(0, 1).icdf(torch.tensor([0.01, 0.25, 0.5, 0.75, 0.99]))
    found = torch.quantile(noise.flatten()[:500_000], torch.tensor([0.01, 0.25, 0.5, 0.75, 0.99]))
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)


def test_one_bit_of_a_place_changes_half_of_its_hash() -> None:
    x = torch.arange(2000)
    hashed = hash_integers(x)
    assert (hashed >= 0).all()
    assert (hashed < 2**32).all()
    assert len(hashed.unique()) == 2000
    for bit in (0, 7, 31):
        changed = hashed ^ hash_integers(x ^ (1 << bit))
        assert abs(sum(((changed >> k) & 1).double().mean().item() for k in range(32)) - 16) < 1
