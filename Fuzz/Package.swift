// swift-tools-version: 6.2
// The parsers of the core, built with libFuzzer's coverage and the address sanitizer, apart from the normal build. The
// sources are links to those of the package above. `Fuzz/run` builds and runs it.
import PackageDescription

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"]),
]

func library(_ name: String, _ uses: [String] = []) -> Target {
    .target(name: name, dependencies: uses.map { .byName(name: $0) }, swiftSettings: house)
}

let package = Package(
    name: "gantry-fuzz",
    // libFuzzer has the main function: the rest is linked to it by `Fuzz/run`.
    products: [.library(name: "ImageFuzzer", type: .static, targets: ["ImageFuzzer"])],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CDeflate"),
        .systemLibrary(name: "CZstd"),
        .systemLibrary(name: "CLZMA"),
        library("CoreTypes"),
        library("BlockIO", ["CoreTypes", "CLinux"]),
        library("DiskImages", ["BlockIO", "CoreTypes", "CLinux", "CZlib", "CDeflate", "CZstd", "CLZMA"]),
        library("NBDProtocol", ["CoreTypes"]),
        library("ZstdStreams", ["CZstd"]),
        library("ImageFuzzer", ["DiskImages", "BlockIO", "NBDProtocol", "CoreTypes", "ZstdStreams"]),
    ],
    swiftLanguageModes: [.v6]
)
