import Foundation
import TestSupport
import Testing

/// Images of formats that can only be read.
@Suite struct ImportTests {
    struct Source: CustomTestStringConvertible, Sendable {
        let format: String
        let options: [String]
        var testDescription: String { "\(format) \(options.joined(separator: " "))" }
    }

    @Test(arguments: [
        Source(format: "vhdx", options: ["-o", "subformat=dynamic"]),
        Source(format: "vhdx", options: ["-o", "subformat=fixed"]),
        Source(format: "vmdk", options: ["-o", "subformat=monolithicSparse"]),
        Source(format: "vmdk", options: ["-o", "subformat=streamOptimized"]),
    ])
    func whatQemuWritesIsConvertedComparedAndDescribed(_ source: Source) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("import")
        let sample = try SampleImage(in: folder, size: 9 << 20, random: &random)
        let path = folder.file("disk.\(source.format)")
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", source.format] + source.options + [sample.raw, path])
        let target = folder.file("out.qcow2")
        try Tool.check("gantry", ["image", "convert", "-f", source.format, "-O", "qcow2", "--verify", path, target])
        try Tool.check("qemu-img", ["compare", "-f", "raw", "-F", "qcow2", sample.raw, target])
        try Tool.check("gantry", ["image", "compare", "-f", source.format, "-F", "raw", path, sample.raw])
        let info = try json(try Tool.check("gantry", ["image", "info", "--probe", "--json", path]))
        #expect(info["format"] as? String == source.format)
        #expect(info["virtual-size"] as? Int == 9 << 20)
    }

    /// A descriptor's extents are other files: they need the caller's word.
    @Test func extentsOfADescriptorAreUsedOnlyWhenAllowed() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("extents")
        let sample = try SampleImage(in: folder, size: 4 << 20, random: &random)
        let path = folder.file("flat.vmdk")
        try Tool.check(
            "qemu-img", ["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=monolithicFlat", sample.raw, path])
        let words = ["image", "compare", "-f", "vmdk", "-F", "raw", path, sample.raw]
        let refused = try Tool.run("gantry", words)
        #expect(refused.status == 2)
        let elsewhere = try ScratchFolder("elsewhere")
        #expect(try Tool.run("gantry", words + ["--follow", elsewhere.path]).status == 2)
        try Tool.check("gantry", words + ["--follow", folder.path])
        try Tool.check("gantry", words + ["--extent", folder.file("flat-flat.vmdk")])
    }

    @Test func importedFormatsAreNeverWritten() throws {
        let folder = try ScratchFolder("readonly")
        let path = folder.file("disk.vhdx")
        try Tool.check("qemu-img", ["create", "-q", "-f", "vhdx", path, "8M"])
        let lines: [(words: [String], status: Int32)] = [
            (["resize", "-f", "vhdx", path, "16M"], 2), (["check", "-f", "vhdx", path], 63),
        ]
        for (words, status) in lines {
            let outcome = try Tool.run("gantry", ["image"] + words)
            #expect(outcome.status == status)
            #expect(outcome.errors.contains("can only be read"))
        }
    }
}
