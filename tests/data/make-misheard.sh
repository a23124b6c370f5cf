#!/bin/sh
# Writes tests/data/speech/misheard.flac: a synthetic voice (Flite) orders a medicine whose name the recogniser mishears, so that one is proposed.
# Run by hand when the text changes; the result is committed.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p tests/data/speech
wave=$(mktemp --suffix .wav)
flite -voice slt -t "Give tablet glimepiride one tablet twice a day for five days." -o "$wave"
sox -D "$wave" -r 16000 -c 1 -b 16 -C 8 tests/data/speech/misheard.flac gain -n -3 pad 0.5 1.2
rm "$wave"
