#!/usr/bin/env bash
# Three models under four hands: how much of each a gesture reaches, on one page.
#
#     examples/four_hands/run.sh SOUNDS GESTURES OUT
#
# SOUNDS is a folder of audio files; GESTURES holds the data sets under the names of datasets/gestures, as their cards
# say how to get them; HAND_MODEL=FILE names mediapipe's hand_landmarker.task. The models are trained in OUT, which
# takes tens of minutes, the waveform model only begun: 2600 steps of small batches. What is there already
# is not made again, a training that was stopped goes on, and models of your own may be put there beforehand under the
# names spectral, waveform and waveform8.
set -euo pipefail
sounds=$(realpath "$1") gestures=$(realpath "$2")
mkdir -p "$3" && cd "$3"

train() { # RUN PRESET OPTIONS...
    if [ -e "$1" ]; then resume=--resume; else resume=; fi
    audiovae train "$2" --corpus sounds.corpus --run "$1" $resume "${@:3}"
}

[ -e spectral ] && [ -e waveform ] && [ -e waveform8 ] || audiovae corpus prepare "$sounds" --out sounds.corpus
if [ ! -e spectral ]; then
    train spectral.run spectral
    audiovae export spectral.run --out spectral
fi
if [ ! -e waveform ] || [ ! -e waveform8 ]; then
    train waveform.run rave_v2_small --warmup-steps 2200 --max-steps 2600 --set training.batch_size=4 \
        --set training.excerpt_samples=16384 --set trainer.validate_every=200 --set trainer.save_every=200
    [ -e waveform ] || audiovae export waveform.run --out waveform --fidelity 0.95
    [ -e waveform8 ] || audiovae export waveform.run --out waveform8 --latents 8
fi

make() { # RECORDING COMMAND...
    [ -e "$1" ] || "${@:2}" --out "$1"
}

make signing.rec gesturemap record --tracker "hands:$gestures/tfjs_asl_hand/asl_hand.25fps.mp4" \
    ${HAND_MODEL:+--hand-model "$(cd "$OLDPWD" && realpath "$HAND_MODEL")"}
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
title = "Four hands, three models"

[models]
spectral = "$PWD/spectral"
waveform = "$PWD/waveform"
waveform8 = "$PWD/waveform8"

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
