#!/bin/sh
# From a labelled folder to records of unseen invoices. Run by `make demo` in the repository root.
# What is there from an earlier run is reused; `make clean` starts over.
set -eu
mkdir -p demo adapters

if [ ! -f adapters/demo/manifest.json ]; then
    extractor train --schema invoice --corpus samples --output adapters/demo --resume
fi
if [ ! -f demo/before.json ]; then
    extractor evaluate --schema invoice --corpus samples --output demo/before.json
fi
if [ ! -f demo/after.json ] || [ adapters/demo/manifest.json -nt demo/after.json ]; then
    extractor evaluate --schema invoice --corpus samples --adapter adapters/demo \
        --output demo/after.json
fi

extractor extract samples/inbox --schema invoice --adapter adapters/demo --output demo/records.jsonl
extractor extract samples/inbox --schema invoice --adapter adapters/demo --output demo/records.xlsx

python -m samples.compare demo/before.json demo/after.json
echo "records of samples/inbox: demo/records.jsonl and demo/records.xlsx"
