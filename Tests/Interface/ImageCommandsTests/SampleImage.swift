import CoreTypes
import Foundation
import TestSupport
import Testing

/// A raw image with data and holes at seeded places, and the same content in other formats, written by qemu-img.
struct SampleImage {
    let folder: ScratchFolder
    let raw: String

    /// `size` bytes, a multiple of 512; about a quarter of it random.
    init(in folder: ScratchFolder, size: Int, random: inout SeededRandom) throws {
        self.folder = folder
        raw = folder.file("sample.raw")
        try Data().write(to: URL(fileURLWithPath: raw))
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: raw))
        try file.truncate(atOffset: UInt64(size))
        for _ in 0..<8 {
            let length = Int.random(in: 1...max(1, size / 32), using: &random)
            try file.seek(toOffset: UInt64.random(in: 0...UInt64(size - length), using: &random))
            try file.write(contentsOf: Data(random.bytes(length)))
        }
        try file.close()
    }

    /// The path of the image in `format`.
    func path(_ format: ImageFormat) throws -> String {
        if format == .raw { return raw }
        let path = folder.file("sample.\(format.rawValue)")
        if !FileManager.default.fileExists(atPath: path) {
            try Tool.check(
                "qemu-img",
                ["convert", "-f", "raw", "-O", format.qemuName] + (format == .vhd ? ["-o", "force_size=on"] : [])
                    + [raw, path])
        }
        return path
    }
}

extension ImageFormat {
    /// What qemu-img calls it.
    var qemuName: String { self == .vhd ? "vpc" : rawValue }
}

/// A source and a destination format.
struct Direction: CustomTestStringConvertible, Sendable {
    let source: ImageFormat
    let target: ImageFormat

    static let all = ImageFormat.allCases.flatMap { source in
        ImageFormat.allCases.map { Direction(source: source, target: $0) }
    }

    var testDescription: String { "\(source) → \(target)" }
}
