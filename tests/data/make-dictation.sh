#!/bin/sh
# Writes web/static/demo/dictation.flac: a synthetic voice dictating an invented consultation (espeak-ng, sox).
# Run by hand when the text changes; the result is committed.
set -eu
cd "$(dirname "$0")/../.."
voice=${1:-en-gb}
speed=${2:-145}
pause='<break time="350ms"/>'
mkdir -p web/static/demo
espeak-ng -m -v "$voice" -s "$speed" -w /dev/stdout "<speak>Patient is a 45 year old with fever and cough for three days. $pause
Temperature 38.5. $pause No known allergies. $pause
Prescribe paracetamol 650 milligram three times a day for five days $pause
and azithromycin 500 milligram once daily for three days.</speak>" |
    sox --ignore-length -t wav - -r 16000 -c 1 -b 16 -C 8 web/static/demo/dictation.flac gain -n -3 pad 0.5 1.2
