#!/bin/sh
# From a labelled folder to records of unseen invoices: the commands of the README, in order.
# `make demo` runs this in the repository root. What an earlier run left is reused.
set -eu

adapter=adapters/demo
mkdir -p demo adapters

if [ ! -f "$adapter/manifest.json" ]; then
    # Few and short, so that it takes minutes: leave the last line out for a better adapter.
    extractor train --schema invoice --corpus samples --output "$adapter" --resume \
        --epochs 3 --synthetic 0
fi

extractor extract samples/inbox --schema invoice --adapter "$adapter" --output demo/records.jsonl
extractor extract samples/inbox --schema invoice --adapter "$adapter" --output demo/records.xlsx

# The held-out invoices are of layouts and sellers that were not in training.
if [ ! -f demo/scores.txt ] || [ "$adapter/manifest.json" -nt demo/scores.txt ]; then
    extractor evaluate --schema invoice --corpus samples --adapter "$adapter" --compare \
        --output demo/report.json > demo/scores.part
    mv demo/scores.part demo/scores.txt
fi
cat demo/scores.txt

echo
echo "Records of samples/inbox: demo/records.xlsx and demo/records.jsonl"
echo "Report on the held-out invoices: demo/report.html"
