"""Projects of Wekinator as recordings and mappings, and recordings and mappings as projects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from audiovae.latent_space import LatentSpace
from gesturemap.errors import RecordingError
from gesturemap.features import FeatureExtractor, load_features
from gesturemap.frame import Array, Channel, Layout
from gesturemap.mapping import Examples, Mapping, MappingLabel, OutputSettings
from gesturemap.recording import Recorder, Recording
from gesturemap.recording.recorder import RESERVED_NAME
from gesturemap.wekinator.networks import MODELS_NAME, read_networks
from gesturemap.wekinator.project import Project, ProjectOutput
from gesturemap.wekinator.reading import read_project

TRACKER = "osc"
SMALLEST_STEP_S = 1e-4  # between rows whose times, to the millisecond, are the same
FEATURES = "position"  # every input as it is
MAX_TAKES = 10_000  # each is a file


def import_project(
    folder: str | Path, out: str | Path, *, space: LatentSpace | None = None, tracker: str = TRACKER
) -> Recording:
    """A recording of a project's examples: a take for each training round, the outputs as latents.

    Parameters
    ----------
    folder : of the project, or its ``.wekproj``.
    out : folder to make, by custom ``<name>.rec``.
    space : model whose latents the outputs are; its size must fit. None: outputs of something else.
    tracker : name of whoever will give these inputs.

    Raises
    ------
    RecordingError
        If the project cannot be read, has no example or does not fit the model, or `out` exists.
    """
    project = read_project(folder)
    if not len(project.rounds):
        raise RecordingError(f"{folder}: no example in the project: record some in Wekinator and save it")
    n_outputs = len(project.outputs)
    if space is not None and space.latent_size != n_outputs:
        raise RecordingError(f"{n_outputs} outputs found, model {space.model_name!r} has {space.latent_size} latents")
    notes = [f"Wekinator project {project.name!r}", *_describe_outputs(project)]
    rounds = np.unique(project.rounds)
    if len(rounds) > MAX_TAKES:
        raise RecordingError(f"{folder}: {len(rounds)} training rounds found, {MAX_TAKES} at most expected")
    model_id, model_name = (None, None) if space is None else (space.model_id, space.model_name)
    header = (_layout(project), tracker, str(folder), "file", model_id, model_name, n_outputs)
    with Recorder(out, *header, notes=notes) as recorder:
        for number in rounds:
            rows = project.rounds == number
            recorder.start_take()
            recorder.write_rows(_increasing(project.time_s[rows]), project.inputs[rows], project.targets[rows])
            recorder.stop_take()
    return Recording.load(out)


def import_mapping(
    folder: str | Path, space: LatentSpace, name: str, *, tracker: str = TRACKER, output: OutputSettings | None = None
) -> Mapping:
    """A mapping that runs a project's own trained networks, number for number, into the range of a model.

    Parameters
    ----------
    folder, space, tracker : as in `import_project`.
    name : of the mapping.
    output : clipping, smoothing, hold and fade; None: defaults.

    Raises
    ------
    RecordingError
        If the project or its description of models cannot be read, or does not fit the model.
    """
    project = read_project(folder)
    folder = Path(folder).parent if Path(folder).suffix == ".wekproj" else Path(folder)
    if space.latent_size != len(project.outputs):
        raise RecordingError(
            f"{len(project.outputs)} outputs found, model {space.model_name!r} has {space.latent_size} latents"
        )
    output = OutputSettings() if output is None else output
    networks = read_networks(folder / MODELS_NAME, project.input_names, len(project.outputs), project.inputs)
    layout, features = _layout(project), load_features(FEATURES)
    whole = np.isfinite(np.concatenate([project.inputs, project.targets], axis=1)).all(axis=1)
    rounds, take = np.unique(project.rounds[whole], return_inverse=True)
    names = FeatureExtractor(features, layout).names
    if len(names) != len(layout):
        raise RecordingError(f"{folder}: an input has the name of a presence channel of ours: rename it in Wekinator")
    return Mapping(
        label=MappingLabel(tracker, features.name, space.model_name, "wekinator"),
        name=name,
        model_id=space.model_id,
        model_name=space.model_name,
        layout=layout,
        features=features,
        regressor=networks,
        regressor_settings={},
        low=np.asarray(space.quantile(output.low_quantile), np.float64),
        high=np.asarray(space.quantile(output.high_quantile), np.float64),
        rest=np.asarray(space.mean, np.float64),
        output=output,
        seed=0,
        card=_card(project, whole, rounds),
        examples=Examples(names, project.inputs[whole], project.targets[whole], project.time_s[whole], take),
    )


def export_project(source: Recording | Mapping, name: str) -> Project:
    """A project of the examples of a recording or mapping; `write_project` makes a folder of it.

    Takes become training rounds. Of a recording inputs are the channels, paired with the latents they answer; of a
    mapping the features, and outputs are kept within its range.

    Raises
    ------
    RecordingError
        If there are no latents, or no row with every input.
    """
    if isinstance(source, Mapping):
        examples = source.examples
        if examples.latents is None:
            raise RecordingError(f"mapping {source.name!r} was made without examples: nothing to export")
        limits = zip(source.low.tolist(), source.high.tolist(), strict=True)
        outputs = tuple(ProjectOutput(f"latent_{i}", *range_, hard=True) for i, range_ in enumerate(limits))
        rounds = np.asarray(examples.take, np.int64) + 1
        inputs, targets = examples.features, examples.latents
        return Project(name, examples.feature_names, outputs, rounds, examples.time_s, inputs, targets)
    pairs = list(source.pairs())
    rows = [np.isfinite(take.values).all(axis=1) for take, _ in pairs]
    if not any(kept.any() for kept in rows):
        raise RecordingError(f"{source.path}: no row with every channel and latents to export")
    targets = np.concatenate([latents[kept] for (_, latents), kept in zip(pairs, rows, strict=True)])
    takes = [take.select(kept) for (take, _), kept in zip(pairs, rows, strict=True)]
    return Project(
        name,
        source.layout.names,
        tuple(ProjectOutput(f"latent_{i}", *_range(column)) for i, column in enumerate(targets.T)),
        np.concatenate([np.full(len(take.time_s), take.index) for take in takes]),
        np.concatenate([take.time_s for take in takes]),
        np.concatenate([take.values for take in takes]),
        targets,
    )


def _layout(project: Project) -> Layout:
    """A channel for each input, its range that of the examples; names that a recording cannot have are changed."""
    names: list[str] = []
    for index, given in enumerate(project.input_names):
        name = given.strip() or f"input_{index + 1}"
        while name in names or RESERVED_NAME.fullmatch(name):
            name += "_"
        names.append(name)
    ranges = [_range(column) for column in project.inputs.T]
    return Layout(tuple(Channel(name, "unknown", *range_) for name, range_ in zip(names, ranges, strict=True)))


def _range(column: Array) -> tuple[float, float]:
    """Lowest and highest number there is, never the same; 0 and 1 if there is none."""
    there = column[np.isfinite(column)]
    low, high = (float(there.min()), float(there.max())) if len(there) else (0.0, 1.0)
    return low, high if high > low else low + 1.0


def _increasing(time_s: Array) -> Array:
    """Times from 0 on, each later than the one before even where the clock was set back."""
    steps = np.maximum(np.diff(time_s), SMALLEST_STEP_S)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _describe_outputs(project: Project) -> list[str]:
    lines = []
    for index, output in enumerate(project.outputs):
        kind = f"class of 1..{output.n_classes}" if output.n_classes else f"{output.low:g} to {output.high:g}"
        missing = int(np.isnan(project.targets[:, index]).sum())
        without = f", not recorded in {missing} rows" if missing else ""
        lines.append(f"latent_{index} is output {output.name!r}, {kind}{without}")
    return lines


def _card(project: Project, whole: npt.NDArray[np.bool_], rounds: npt.NDArray[np.int64]) -> dict[str, object]:
    seconds = [float(np.ptp(project.time_s[project.rounds == number])) for number in rounds]
    return {
        "intent": "",
        "takes": [f"{project.name} round {number}" for number in rounds],
        "lags_s": [0.0] * len(rounds),
        "n_examples": int(whole.sum()),
        "n_dropped": int((~whole).sum()),
        "n_thinned": 0,
        "duration_s": round(sum(seconds), 3),
        "warnings": ["trained in Wekinator: its error on takes left out was not measured"],
    }
