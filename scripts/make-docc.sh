#!/bin/bash
# make-docc.sh [FOLDER]: makes the web pages of the Swift SDK in FOLDER, .build/docc unless it is named, from the articles in
# Sources/API/XenAPIClient/XenAPIClient.docc and from the comments. Links that lead nowhere are errors. After `swift build`;
# it needs nothing but the toolchain.
set -euo pipefail
cd "$(dirname "$0")/.."
output=${1:-.build/docc}
products=$(swift build --show-bin-path)
[ -f "$products/Modules/XenAPIClient.swiftmodule" ] || { echo "make-docc: run swift build first" >&2 && exit 1; }
tools=$(dirname "$(readlink -f "$(command -v swift)")")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The modules in C that the packages below are made of.
flags=()
for map in "$products"/*.build/module.modulemap .build/checkouts/*/Sources/*/include/module.modulemap; do
    [ ! -f "$map" ] || flags+=(-Xcc "-fmodule-map-file=$map")
done
target=$("$tools/swift" -print-target-info | sed -n 's/^ *"triple": "\(.*\)",$/\1/p' | head -n 1)
"$tools/swift-symbolgraph-extract" -module-name XenAPIClient -I "$products/Modules" -target "$target" "${flags[@]}" \
    -minimum-access-level public -skip-synthesized-members -omit-extension-block-symbols -output-dir "$scratch"
# Extensions of other modules' types are described where those types are.
rm -f "$scratch"/XenAPIClient@*.symbols.json
"$tools/docc" convert Sources/API/XenAPIClient/XenAPIClient.docc --additional-symbol-graph-dir "$scratch" \
    --fallback-display-name XenAPIClient --fallback-bundle-identifier gantry.XenAPIClient \
    --output-path "$output" --warnings-as-errors
echo "made $output"
