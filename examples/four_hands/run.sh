#!/usr/bin/env bash
# Two models under four hands: how much of each a gesture reaches, on one page.
#
#     examples/four_hands/run.sh SPECTRAL_MODEL WAVEFORM_MODEL GESTURES OUT
#
# The models are folders of `audiovae export`; GESTURES holds the data sets under the names of datasets/gestures, as
# their cards say how to get them; HAND_MODEL=FILE names mediapipe's hand_landmarker.task. Recordings that are there
# already are not made again.
set -euo pipefail
spectral=$(realpath "$1") waveform=$(realpath "$2") gestures=$(realpath "$3")
mkdir -p "$4" && cd "$4"

make() { # RECORDING COMMAND...
    [ -e "$1" ] || "${@:2}" --out "$1"
}

make signing.rec gesturemap record --tracker "hands:$gestures/tfjs_asl_hand/asl_hand.25fps.mp4" \
    ${HAND_MODEL:+--hand-model "$HAND_MODEL"}
make tether.rec gesturemap record --tracker "gametrak:$gestures/gametrak_recording/gametrak_sample_10_second_recording.jsonl"
for story in a1 b1; do
    make "story-$story.rec" gesturemap import "$gestures/gesture_phase/raw/${story}_raw.csv" \
        --time-column timestamp --time-unit MMSSmmm --tracker kinect
done
swipes=()
for gesture in circle zig-zag star left-swipe; do
    for person in andrea chiara claudio elena elenaf emanuele gianmarcocherchi; do
        recording="$gesture.$person.rec"
        make "$recording" gesturemap import "$gestures/leap_midair_trajectories/$person/$gesture.csv" \
            --time-column -1 --time-unit ms --tracker leap
        swipes+=("\"$recording\"")
    done
done

cat > study.toml <<STUDY
title = "Four hands, two models"

[models]
spectral = "$spectral"
waveform = "$waveform"

[recordings]
signing = ["signing.rec"]
tethers = ["tether.rec"]
storytelling = ["story-a1.rec", "story-b1.rec"]
midair = [$(IFS=,; echo "${swipes[*]}")]

# The same for all: each latent follows one feature over its whole range. Nothing is learnt, so nothing is favoured.
[recipes.direct]
regressor = "linear_map"
STUDY
gesturemap study study.toml --out study
