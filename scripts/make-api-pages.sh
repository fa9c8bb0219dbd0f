#!/bin/sh
# Writes docs/api anew from Sources/API/DataModel and from what gantryd says of its own messages.
# With --check it writes nothing and fails when the checked-in pages differ.
set -eu
cd "$(dirname "$0")/.."
folder=docs/api
programs=$(swift build --show-bin-path)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

"$programs/gantryd" messages >"$fresh/coverage.json"
"$programs/datamodel-gen" pages "$fresh/api" "$fresh/coverage.json"
if [ "${1:-}" = "--check" ]; then
    diff -ru "$folder" "$fresh/api" || {
        echo "docs/api is out of date: build, then run scripts/make-api-pages.sh" >&2
        exit 1
    }
else
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$fresh/api"/*.md "$folder/"
fi
