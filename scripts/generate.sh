#!/bin/sh
# Writes Sources/API/APITypes/Generated and Sources/API/XenAPIClient/Generated anew from Sources/API/DataModel.
# With --check it writes nothing and fails when the checked-in files differ.
set -eu
cd "$(dirname "$0")/.."
types=Sources/API/APITypes/Generated
client=Sources/API/XenAPIClient/Generated

if [ "${1:-}" = "--check" ]; then
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    swift run --quiet datamodel-gen "$fresh/types"
    swift run --quiet datamodel-gen client "$fresh/client"
    diff -ru "$types" "$fresh/types"
    diff -ru "$client" "$fresh/client"
else
    swift run --quiet datamodel-gen "$types"
    swift run --quiet datamodel-gen client "$client"
fi
