"""The findings of a report in words: the first paragraph of the page, what follows it, and the caveats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MIN_NAMED_FRAMES = 20  # a file with fewer frames is neither named nor counted


def percent(share: float) -> str:
    """``41 %``; one digit more where the number is small. The space does not break."""
    return f"{bare_percent(share)}\u00a0%"


def bare_percent(share: float) -> str:
    """``41``, the number alone."""
    text = f"{100 * share:.1f}" if abs(share) < 0.0995 else f"{100 * share:.0f}"
    return text.removesuffix(".0").replace("-0", "0") if float(text) == 0 else text.removesuffix(".0")


def seconds(value: float) -> str:
    """``12 s``, ``1.5 s``, ``3 min 20 s``."""
    if value < 9.95:
        return f"{value:.1f}\u00a0s"
    minutes, rest = divmod(round(value), 60)
    return " ".join([f"{minutes}\u00a0min"] * (minutes > 0) + [f"{rest}\u00a0s"] * (rest > 0))


def is_short(duration_s: float, gesture_s: float) -> bool:
    """Whether the ceiling is so much shorter than the gesture that the two must be compared at its duration."""
    return duration_s < 0.95 * gesture_s


def write_answer(result: dict[str, Any]) -> str:
    """One paragraph: how much of the model this mapping reaches, and what that is worth."""
    return " ".join(
        [
            *_reach_sentences(result),
            *_learned_sentences(result),
            *_region_sentences(result),
            *_floor_sentences(result),
        ]
    )


def write_findings(result: dict[str, Any]) -> list[str]:
    """What a performer would change: sounds never reached, dimensions that do not play, lost hands."""
    return [
        *find_sounds(result["files"]),
        *_dimension_sentences(result["quality"]),
        *_playing_sentences(result),
        *_sound_sentences(result["sound"]),
    ]


def write_caveats(result: dict[str, Any]) -> list[str]:
    """What a reader must know before quoting a number."""
    statistics, reference, gesture = result["statistics"], result["reference"], result["gesture"]
    caveats = []
    if "held_out" not in statistics:
        caveats.append(
            "The model folder holds no held-out recordings, so there is no ceiling to compare with: train and "
            "export the model on a corpus with validation files."
        )
    elif is_short(statistics["held_out"]["duration_s"], gesture["duration_s"]):
        caveats.append(
            f"There are only {seconds(statistics['held_out']['duration_s'])} of held-out recordings. The ceiling, and "
            f"the comparison with it, is for that duration; with more sound it would be higher."
        )
    if gesture["duration_s"] < 30:
        caveats.append(
            f"The gesture is {seconds(gesture['duration_s'])} long. Coverage grows with time: record a minute or more "
            f"before comparing mappings, and compare at equal duration only."
        )
    kind = statistics["gesture"]["resampled"]
    if kind == "nothing":
        caveats.append(
            "Too short to see how the gesture varies: the intervals are over source files only, and too narrow."
        )
    elif kind == "blocks":
        caveats.append(
            "Too few takes to see how takes differ: the intervals come from blocks of the takes there are. They hold "
            "for this performance going on in the same way, not for another one. Record four takes or more."
        )
    if reference["n_used"] < reference["n_audible"]:
        caveats.append(
            f"{reference['n_used']} of {reference['n_audible']} reference frames were used, every source file by its "
            f"share. Balls grow when there are fewer frames: compare reports of the same count."
        )
    if result["mapping"]["model_id"] != result["model"]["id"]:
        caveats.append(
            f"The mapping was fitted on another model, {result['mapping']['model_name']}. Its gestures mean other "
            f"sounds here."
        )
    tracker = result["mapping"]["label"]["tracker"]
    others = [name for name, own in zip(gesture["recordings"], gesture["trackers"], strict=True) if own != tracker]
    if others:
        caveats.append(
            f"The mapping is for {tracker}, and {_join(others[:3])}{' and others' * (len(others) > 3)} "
            f"{'is' if len(others) == 1 else 'are'} of another tracker with channels of the same names: what they "
            f"mean, and how far they go, may differ."
        )
    warnings = result["mapping"]["card"].get("warnings", [])
    return [*caveats, *(f"Of the mapping: {text.rstrip('.')}." for text in warnings)]


def find_sounds(files: Sequence[dict[str, Any]]) -> list[str]:
    """Which source files a mapping reaches best and least.

    Parameters
    ----------
    files : ``name``, ``n_frames`` and ``coverage`` of each, the most reached first.
    """
    named = [file for file in files if file["n_frames"] >= MIN_NAMED_FRAMES] or list(files)
    count = min(3, len(named) // 2)
    if not count:
        return []
    best = [file for file in named[:count] if file["coverage"] > 0]
    sentences = [f"Of the source files it reaches most of {_list_files(best)}."] if best else []
    never = [file for file in named if file["coverage"] == 0]
    if never:
        longest = _join([file["name"] for file in never[: -count - 1 : -1]])
        which = f", the longest of them {longest}" if len(never) > count else f": {longest}"
        sentences.append(f"It never reaches {len(never)} of {len(named)} longer files{which}.")
    else:
        sentences.append(f"It reaches least of {_list_files(named[: -count - 1 : -1])}.")
    return sentences


def write_card(result: dict[str, Any]) -> str:
    """A paragraph for the coverage heading of the mapping's card."""
    gesture = result["gesture"]
    names = gesture["recordings"]
    played = (
        f"{seconds(gesture['duration_s'])} of {', '.join(names) if len(names) <= 4 else f'{len(names)} recordings'}"
    )
    return f"Measured on {played}. {write_answer(result)}"


def _reach_sentences(result: dict[str, Any]) -> list[str]:
    statistics, normalised = result["statistics"], result["normalised_coverage"]
    coverage, precision = statistics["gesture"]["coverage"], statistics["gesture"]["precision"]
    confidence = percent(result["settings"]["coverage"]["confidence"])
    sentences = [
        f"This mapping reaches {percent(coverage['value'])} of what the model can play ({confidence} interval "
        f"{bare_percent(coverage['low'])} to {percent(coverage['high'])})."
    ]
    if normalised is not None:
        held_out, still = percent(normalised["held_out"]), "On a scale from a hand held still"
        if is_short(normalised["duration_s"], statistics["gesture"]["duration_s"]):
            sentences.append(
                f"In {seconds(normalised['duration_s'])} it reaches {percent(normalised['gesture'])}; other "
                f"recordings, which the model never heard, reach {held_out} in that time."
            )
        else:
            sentences.append(f"Other recordings, which the model never heard, reach {held_out} in the same time.")
        sentences.append(f"{still} (0\u00a0%) to those recordings (100\u00a0%) that is {percent(normalised['value'])}.")
    sentences.append(
        f"It is where the model has sounds for {percent(precision['value'])} of the time"
        + ("." if precision["value"] > 0.995 else "; the rest asks for what the model has not heard.")
    )
    return sentences


def _learned_sentences(result: dict[str, Any]) -> list[str]:
    """That the gestures are those the mapping was fitted on, what that is worth, and what to do."""
    takes, card = result["gesture"]["takes"], result["mapping"]["card"]
    n_learned = sum(take["learned"] for take in takes)
    if not n_learned:
        return []
    which = "these very gestures" if n_learned == len(takes) else f"{n_learned} of these {len(takes)} takes"
    sentences = [
        f"It learned from {which}: such numbers say how it repeats what it was shown, not what it makes of new "
        f"gestures. Record others, and report on those."
    ]
    r2 = card.get("held_out_r2_all")
    if r2 is not None:
        what = "is no better than always playing the mean" if r2 <= 0 else f"explains {percent(r2)} of the movement"
        sentences.append(f"Tested on what it was not shown ({card['held_out']}) it {what}.")
    return sentences


def _region_sentences(result: dict[str, Any]) -> list[str]:
    """The parts of the model that it hardly gets to, in words, where the sound was measured and words fit."""
    regions = result["sound"]["regions"] if result["sound"] else []
    named = [region for region in regions if region["words"]][:2]
    if not named:
        return []
    never = "never" if all(region["reached"] < 0.005 for region in named) else "hardly"
    parts = []
    for region in named:
        of_it = "" if never == "never" else f", {percent(region['reached'])} of it reached"
        parts.append(f"the {' '.join(region['words'])} region ({percent(region['share'])} of the model{of_it})")
    return [f"It {never} gets to {_join(parts)}."]


def _floor_sentences(result: dict[str, Any]) -> list[str]:
    statistics, test = result["statistics"], result["p_values"]["walk"]
    if test["p"] > 0.05:
        verdict = "the difference could be chance"
    elif test["mean"] < statistics["gesture"]["coverage"]["value"]:
        verdict = "the way it moves finds more of the model than chance"
    else:
        verdict = "chance finds more of the model than this gesture"
    mean = percent(test["mean"])
    return [f"Random motion as smooth and as wide reaches {mean} on average: {verdict} (p = {test['p']:.2g})."]


def _dimension_sentences(quality: dict[str, Any]) -> list[str]:
    count = len(quality["dimensions"])
    sentences = ["Every dimension of the model moves."]
    if quality["dead"]:
        sentences = [f"{_list_dimensions(quality['dead'], count)}: hardly any movement."]
    if quality["saturated"]:
        sentences.append(f"{_list_dimensions(quality['saturated'], count)}: often at the limit of the mapping.")
    return sentences


def _playing_sentences(result: dict[str, Any]) -> list[str]:
    quality, lost = result["quality"], result["gesture"]["lost_share"]
    sentences = []
    ratio = quality["step_ratio"]
    if ratio is not None:
        low, high = result["settings"]["quality"]["ratio_low"], result["settings"]["quality"]["ratio_high"]
        how = "calmer than" if ratio < low else "more restless than" if ratio > high else "about as lively as"
        sentences.append(f"It moves {how} real sound ({ratio:.2g} times its step).")
    r2 = result["mapping"]["card"].get("held_out_r2_all")
    if any(take["learned"] for take in result["gesture"]["takes"]):
        r2 = None  # the first paragraph says it
    if r2 is not None and r2 <= 0:
        sentences.append("On gestures it was not fitted on it is no better than always playing the mean.")
    elif r2 is not None:
        sentences.append(f"On gestures it was not fitted on it explains {percent(r2)} of the movement.")
    if lost > 0.005:
        sentences.append(f"The hand was lost for {percent(lost)} of the time.")
    return sentences


def _sound_sentences(sound: dict[str, Any] | None) -> list[str]:
    """What the decoded sound adds: how much of its range is heard, and whether gestures are told apart by ear."""
    if sound is None:
        return []
    sentences, statistics = [], sound["statistics"]
    if "gesture" in statistics:
        heard = percent(statistics["gesture"]["coverage"]["value"])
        other = percent(statistics["held_out"]["coverage"]["value"]) if "held_out" in statistics else ""
        beside = f"; other recordings reach {other}" if other else ""
        sentences.append(
            f"Of the loudness and timbre that the decoder gives the model's own sounds it reaches {heard}{beside}."
        )
    if sound["audible_share"] < 0.9:
        sentences.append(f"It is silent for {percent(1 - sound['audible_share'])} of the time.")
    classes = sound["classes"]
    if classes is not None:
        alike = {space: percent(share) for space, share in classes["separability"].items()}
        sentences.append(
            f"Of {classes['n_takes']} takes of {len(classes['names'])} gestures, {alike['sound']} sound most like a "
            f"take of the same gesture; by the hand's motion it is {alike['hand']}, by guessing "
            f"{percent(classes['chance'])}."
        )
    return sentences


def _list_files(files: Sequence[dict[str, Any]]) -> str:
    return _join([f"{file['name']} ({percent(file['coverage'])})" for file in files])


def _list_dimensions(names: Sequence[str], count: int) -> str:
    if len(names) > 5:
        return f"{len(names)} of {count} dimensions"
    return f"Dimension{'s' * (len(names) > 1)} {_join([name.removeprefix('latent_') for name in names])}"


def _join(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
