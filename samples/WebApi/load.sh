#!/usr/bin/env bash
# Requests few reports many times at once, and tells how often they were computed.
# usage: bash samples/WebApi/load.sh [address] [requests, at most 300]      (default: http://localhost:5080 200)
set -euo pipefail

address=${1:-http://localhost:5080}
requests=${2:-200}
regions=(asia europe africa america)

before=$(curl -fsS "$address/calls")
for ((i = 0; i < requests; i++)); do
    echo "url = $address/report/${regions[i % ${#regions[@]}]}"
    echo 'output = /dev/null'
done | curl -fsS --no-progress-meter --fail-early --parallel --parallel-immediate --parallel-max "$requests" --config -
after=$(curl -fsS "$address/calls")

echo "$requests requests, $((after - before)) calls of the expensive work"
