#!/bin/sh
# From a labelled folder to records of unseen invoices. Run by `make demo` in the repository root.
# What is there from an earlier run is reused; `make clean` starts over.
set -eu
mkdir -p demo adapters

if [ ! -f adapters/demo/manifest.json ]; then
    # Few examples and a fixed number of steps, so that it is done in minutes: a real corpus is
    # trained with the defaults.
    extractor train --schema invoice --corpus samples --output adapters/demo \
        --epochs 1 --synthetic 0 --validation 0 --calibration 0 --checkpoints 2 --parity 4 --resume
fi
if [ ! -f demo/scores.txt ] || [ adapters/demo/manifest.json -nt demo/scores.txt ]; then
    extractor evaluate --schema invoice --corpus samples --adapter adapters/demo --compare \
        --max-new-tokens 400 --output demo/report.json > demo/scores.txt.part
    mv demo/scores.txt.part demo/scores.txt
fi
extractor extract samples/inbox --schema invoice --adapter adapters/demo --output demo/records.jsonl
extractor extract samples/inbox --schema invoice --adapter adapters/demo --output demo/records.xlsx

echo "F1 on layouts and sellers that were not in training, before and after tuning:"
cat demo/scores.txt
echo "records of samples/inbox: demo/records.jsonl and demo/records.xlsx; report: demo/report.html"
