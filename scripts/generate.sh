#!/bin/sh
# Writes Sources/API/APITypes/Generated anew from Sources/API/DataModel.
# With --check it writes nothing and fails when the checked-in files differ.
set -eu
cd "$(dirname "$0")/.."
folder=Sources/API/APITypes/Generated

if [ "${1:-}" = "--check" ]; then
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    swift run --quiet datamodel-gen "$fresh"
    diff -ru "$folder" "$fresh"
else
    swift run --quiet datamodel-gen "$folder"
fi
