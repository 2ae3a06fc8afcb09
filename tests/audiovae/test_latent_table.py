"""Latent tables: what is written is read, a table of another model is refused, values between frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from audiovae.errors import LatentsError
from audiovae.latent_space import Cloud, LatentSpace
from audiovae.latent_table import read_latents, resample_latents, write_latents


def make_space(latent_size: int = 3, name: str = "drums", model_id: str = "a1" * 32) -> LatentSpace:
    latents = np.random.default_rng(0).normal(size=(60, latent_size)).astype(np.float32)
    cloud = Cloud(latents, np.zeros(60, np.int32), np.zeros(60, np.float32), ("a.wav",), ("train",))
    rates = {"sample_rate": 44100, "hop_length": 2048, "latency_samples": 3072, "channels": 1}
    return LatentSpace.from_cloud(cloud, model_id=model_id, model_name=name, family="spectral", **rates)


def test_latent_tables_come_back_as_they_were(tmp_path: Path) -> None:
    space = make_space()
    latents = space.cloud.latents[:50]
    write_latents(tmp_path / "a.parquet", latents, space)
    read = read_latents(tmp_path / "a.parquet", space)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, latents)
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["time_s", "latent_0", "latent_1", "latent_2"]
    np.testing.assert_allclose(table["time_s"].to_numpy(), np.arange(50) * 2048 / 44100)


@pytest.mark.parametrize("latent_size", [2, 3, 5])
def test_a_table_of_another_model_is_refused_naming_both(tmp_path: Path, latent_size: int) -> None:
    other = make_space(latent_size, "voices", "b2" * 32)
    write_latents(tmp_path / "a.parquet", other.cloud.latents, other)
    with pytest.raises(LatentsError, match="voices .b2b2b2b2b2b2. found; this is drums .a1a1a1a1a1a1."):
        read_latents(tmp_path / "a.parquet", make_space())


def test_what_is_no_latent_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("not a table")
    for path in (tmp_path / "a.parquet", tmp_path / "absent.parquet"):
        with pytest.raises(LatentsError, match="not a latent table"):
            read_latents(path, make_space())
    with pytest.raises(LatentsError, match=r"latents of shape \(4, 2\) found; model 'drums' takes \(n_frames, 3\)"):
        write_latents(tmp_path / "b.parquet", np.zeros((4, 2)), make_space())


def test_resampling_is_linear_between_and_holds_the_ends() -> None:
    latents = np.array([[0.0, 10.0], [1.0, 20.0], [3.0, 0.0]])
    at_s = np.array([-1.0, 0.5, 1.5, 9.0])
    expected = [[0.0, 10.0], [0.5, 15.0], [2.0, 10.0], [3.0, 0.0]]
    np.testing.assert_allclose(resample_latents(latents, [0.0, 1.0, 2.0], at_s), expected)
