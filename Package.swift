// swift-tools-version: 6.2
// The targets and what each may import are docs/architecture.md's table; scripts/check-dependencies.py holds them to it.
// GANTRY_CORE_ONLY=1 leaves out everything that needs an external package: a quick loop for the data plane.
import PackageDescription

let coreOnly = Context.environment["GANTRY_CORE_ONLY"] == "1"

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

// What carries data is optimised in debug builds, too: the tests and the demonstration then run what is shipped, and
// several times as fast. Overflow, bounds and preconditions are checked all the same. Not for what other packages may
// use: SwiftPM allows such a flag only in the package that is built.
let engine: [SwiftSetting] = house + [.unsafeFlags(["-O"], .when(configuration: .debug))]

func engineLibrary(_ group: String, _ name: String, _ uses: [String] = []) -> Target {
    .target(
        name: name, dependencies: uses.map { .byName(name: $0) },
        path: "Sources/\(group)/\(name)", swiftSettings: engine)
}

func library(_ group: String, _ name: String, _ uses: [String] = [], packages: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: uses.map { .byName(name: $0) } + packages,
        path: "Sources/\(group)/\(name)", swiftSettings: house)
}

func program(
    _ name: String, _ uses: [String], packages: [Target.Dependency] = [], linked: [LinkerSetting] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: uses.map { .byName(name: $0) } + packages,
        path: "Sources/Executables/\(name)", swiftSettings: house, linkerSettings: linked)
}

// For a program that is started for each short command: libraries that are opened at each start would be a sixth of its time.
let archives: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-L\(Context.packageDirectory)/Sources/System/Archives", "-Xclang-linker", "-static-libgcc",
            // The Swift libraries, taken in, would export all names of the program, which are searched at each start.
            "-Xlinker", "--no-export-dynamic",
        ],
        .when(configuration: .release))
]

func tests(
    _ group: String, _ name: String, _ uses: [String], packages: [Target.Dependency] = [],
    settings: [SwiftSetting] = house
) -> Target {
    .testTarget(
        name: name, dependencies: uses.map { .byName(name: $0) } + packages,
        path: "Tests/\(group)/\(name)", swiftSettings: settings)
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let hashTrees = Target.Dependency.product(name: "HashTreeCollections", package: "swift-collections")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")

var targets: [Target] = [
    // System
    .target(name: "CLinux", path: "Sources/System/CLinux"),
    .systemLibrary(name: "CZlib", path: "Sources/System/CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CDeflate", path: "Sources/System/CDeflate", providers: [.apt(["libdeflate-dev"])]),
    .systemLibrary(name: "CZstd", path: "Sources/System/CZstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "COpenSSL", path: "Sources/System/COpenSSL"),
    .systemLibrary(name: "CLZMA", path: "Sources/System/CLZMA", providers: [.apt(["liblzma-dev"])]),
    library("System", "CoreTypes"),
    engineLibrary("System", "ZstdStreams", ["CZstd"]),
    // Images
    engineLibrary("Images", "BlockIO", ["CoreTypes", "CLinux"]),
    engineLibrary("Images", "DiskImages", ["BlockIO", "CoreTypes", "CLinux", "CZlib", "CDeflate", "CZstd", "CLZMA"]),
    engineLibrary("Images", "BlockCopy", ["BlockIO", "DiskImages", "CoreTypes", "CLinux"]),
    // NBD
    engineLibrary("NBD", "NBDProtocol", ["CoreTypes"]),
    engineLibrary("NBD", "NBDTransport", ["NBDProtocol", "BlockIO", "CoreTypes", "CLinux", "COpenSSL"]),
    // Datapath
    library("Datapath", "DatapathControl", ["CoreTypes", "CLinux"]),
    engineLibrary(
        "Datapath", "Datapath",
        ["BlockIO", "DiskImages", "BlockCopy", "NBDProtocol", "NBDTransport", "DatapathControl", "CoreTypes", "CLinux"]),
    // Metrics: pure, so that it is quick to test
    library("Control", "MetricArchives"),
    tests("Control", "MetricArchivesTests", ["MetricArchives", "TestSupport"]),
    // Testing
    engineLibrary("Testing", "TestSupport", ["BlockIO", "CoreTypes", "CLinux"]),
    tests("System", "CoreTypesTests", ["CoreTypes", "TestSupport"]),
    tests("System", "ZstdStreamsTests", ["ZstdStreams", "TestSupport"]),
    tests("Images", "BlockIOTests", ["BlockIO", "CoreTypes", "TestSupport"]),
    tests("Images", "DiskImagesTests", ["DiskImages", "BlockIO", "CoreTypes", "TestSupport"]),
    // Makes every crash state byte by byte.
    tests("Images", "CrashTests", ["DiskImages", "BlockIO", "CoreTypes", "TestSupport"], settings: engine),
    tests("Images", "BlockCopyTests", ["BlockCopy", "DiskImages", "BlockIO", "CoreTypes", "TestSupport"]),
    tests("NBD", "NBDTests", ["NBDTransport", "NBDProtocol", "BlockIO", "CoreTypes", "CLinux", "TestSupport"]),
    tests(
        "Datapath", "DatapathTests",
        [
            "Datapath", "DatapathControl", "NBDTransport", "DiskImages", "BlockIO", "BlockCopy", "CoreTypes", "CLinux",
            "TestSupport",
        ]),
]

var dependencies: [Package.Dependency] = []
// What other packages may use: a client of any XenAPI server.
var products: [Product] = []

if coreOnly {
    targets += [
        .executableTarget(
            name: "gantry-datapath", dependencies: ["Datapath", "DatapathControl", "BlockIO", "CoreTypes"],
            path: "Sources/Executables/gantry-datapath", swiftSettings: house)
    ]
} else {
    dependencies = [
        // What the product XenAPIClient stands on is given by ranges: an exact version would bind every program that uses it.
        // The rest is the daemon's and the command lines' own: exactly what was tested.
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-certificates", exact: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", exact: "1.7.4"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ]
    products = [.library(name: "XenAPIClient", targets: ["XenAPIClient"])]
    targets += [
        .systemLibrary(name: "CCrypt", path: "Sources/System/CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .target(name: "CPAM", path: "Sources/System/CPAM", linkerSettings: [.linkedLibrary("pam")]),
        // API
        library("API", "DataModel", ["CoreTypes"]),
        library("API", "APITypes", ["DataModel", "CoreTypes"]),
        library("API", "RPCCodec", ["CoreTypes"]),
        library(
            "API", "XenAPIClient", ["APITypes", "RPCCodec", "CoreTypes"],
            packages: [httpClient, nioCore, nioHTTP1, nioPosix, nioSSL, crypto]),
        library(
            "API", "APIServer",
            [
                "Toolstack", "MetricArchives", "PoolDatabase", "APITypes", "RPCCodec", "DataModel", "CoreTypes",
                "ZstdStreams",
            ],
            packages: [httpTypes, nioCore, nioHTTP1, nioPosix, nioSSL, nioWebSocket, x509, crypto, asn1, logging]),
        // Control
        library("Control", "PoolDatabase", ["APITypes", "DataModel", "CoreTypes"], packages: [grdb, hashTrees]),
        library("Control", "StorageInterface", ["CoreTypes"]),
        library(
            "Control", "StorageManagers",
            ["StorageInterface", "DiskImages", "BlockIO", "CoreTypes", "CLinux"]),
        library(
            "Control", "StoragePlugins", ["StorageInterface", "RPCCodec", "CoreTypes", "CLinux", "CZlib"],
            packages: [logging]),
        library(
            "Control", "StorageMotion", ["StorageInterface", "DatapathControl", "CoreTypes"], packages: [logging]),
        library("Control", "Guests", ["CoreTypes", "CLinux"], packages: [logging]),
        library(
            "Control", "Toolstack",
            [
                "PoolDatabase", "StorageInterface", "StorageManagers", "StoragePlugins", "StorageMotion", "Guests",
                "MetricArchives", "DatapathControl", "XenAPIClient",
                "APITypes", "DataModel", "RPCCodec", "CoreTypes", "CLinux", "CCrypt", "CPAM", "ZstdStreams",
            ], packages: [crypto, logging]),
        // Interface
        library("Interface", "TerminalUI", ["CoreTypes"]),
        library(
            "Interface", "XECommands", ["XenAPIClient", "APITypes", "DataModel", "RPCCodec", "TerminalUI", "CoreTypes"]),
        library(
            "Interface", "ImageCommands",
            [
                "DiskImages", "BlockCopy", "BlockIO", "NBDTransport", "TerminalUI", "CoreTypes",
            ], packages: [arguments]),
        library(
            "Interface", "QuickTests",
            ["XenAPIClient", "APITypes", "RPCCodec", "NBDTransport", "BlockIO", "TerminalUI"], packages: [arguments]),
        // Executables
        program("gantryd", ["APIServer", "Toolstack", "CoreTypes"], packages: [arguments, logging]),
        program("gantry-datapath", ["Datapath", "DatapathControl", "BlockIO", "CoreTypes"]),
        program("xe", ["XECommands", "XenAPIClient", "CoreTypes"]),
        program("gantry", ["ImageCommands"], packages: [arguments], linked: archives),
        program(
            "gantry-host",
            [
                "ImageCommands", "StoragePlugins", "XenAPIClient", "APITypes", "RPCCodec", "DatapathControl",
                "CoreTypes", "CLinux",
            ],
            packages: [arguments]),
        program("quicktest", ["QuickTests"]),
        program("datamodel-gen", ["DataModel", "CoreTypes"]),
        program("example-volume-plugin", []),
        // Testing
        library("Testing", "GuestFixture", ["TestSupport", "CoreTypes", "CLinux"]),
        tests("API", "DataModelTests", ["DataModel", "APITypes", "CoreTypes", "TestSupport"]),
        library("Examples", "XenAPIExamples", ["XenAPIClient"]),
        tests(
            "API", "XenAPIClientTests", ["XenAPIClient", "APITypes", "RPCCodec", "DataModel", "TestSupport"],
            packages: [nioCore, nioHTTP1, nioPosix]),
        tests("API", "RPCCodecTests", ["RPCCodec", "CoreTypes", "TestSupport"]),
        tests(
            "API", "APIServerTests",
            [
                "APIServer", "Toolstack", "PoolDatabase", "XenAPIClient", "APITypes", "RPCCodec", "DataModel",
                "CoreTypes", "TestSupport", "ZstdStreams", "CLinux",
            ], packages: [httpTypes, nioCore, nioEmbedded, nioHTTP1, nioSSL, logging]),
        tests(
            "Control", "HostTests",
            [
                "Toolstack", "MetricArchives", "DatapathControl", "PoolDatabase", "APITypes", "RPCCodec", "CoreTypes",
                "TestSupport", "StorageManagers", "StorageInterface", "StorageMotion", "StoragePlugins", "Guests",
                "XenAPIClient", "CLinux",
            ],
            packages: [logging]),
        tests("Control", "PoolDatabaseTests", ["PoolDatabase", "APITypes", "DataModel", "CoreTypes", "TestSupport"]),
        tests(
            "Control", "StorageTests",
            [
                "StorageManagers", "StorageInterface", "StorageMotion", "DatapathControl", "DiskImages", "BlockIO",
                "CoreTypes",
                "TestSupport",
            ]),
        tests(
            "Control", "StoragePluginsTests",
            ["StoragePlugins", "StorageInterface", "RPCCodec", "CoreTypes", "CLinux", "TestSupport"],
            packages: [logging]),
        tests(
            "Control", "GuestsTests", ["Guests", "CoreTypes", "CLinux", "TestSupport", "GuestFixture"],
            packages: [logging]),
        tests(
            "Interface", "XECommandsTests",
            [
                "XECommands", "XenAPIClient", "DataModel", "APITypes", "RPCCodec", "TerminalUI", "CoreTypes",
                "TestSupport",
            ]),
        tests(
            "Interface", "ImageCommandsTests",
            ["ImageCommands", "DiskImages", "BlockIO", "NBDTransport", "CoreTypes", "TestSupport"]),
        tests("Interface", "QuickTestsTests", ["QuickTests", "XenAPIClient", "BlockIO", "TestSupport"]),
        tests(
            "EndToEnd", "EndToEndTests",
            [
                "GuestFixture", "TestSupport", "XenAPIExamples", "XenAPIClient", "APITypes", "NBDTransport", "BlockIO",
                "RPCCodec", "CoreTypes", "CLinux",
            ]),
    ]
}

let package = Package(
    name: "gantry",
    products: products,
    dependencies: dependencies,
    targets: targets,
    swiftLanguageModes: [.v6]
)
