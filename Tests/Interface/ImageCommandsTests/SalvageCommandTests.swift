import CoreTypes
import Foundation
import TestSupport
import Testing

/// `gantry image convert --salvage` of images that are damaged.
@Suite struct SalvageCommandTests {
    private struct Lost: Equatable {
        var start: Int
        var length: Int
    }

    /// A qcow2 image of 2 MiB of noise, the same in `content`, and one of its tables' words changed.
    private func damaged(_ folder: ScratchFolder, _ damage: String, _ random: inout SeededRandom) throws {
        let content = Data(random.bytes(2 << 20))
        try content.write(to: URL(fileURLWithPath: folder.file("content")))
        try Tool.check(
            "qemu-img",
            ["convert", "-f", "raw", "-O", "qcow2", folder.file("content"), folder.file("image")])
        var image = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file("image"))))
        func word(_ place: Int) -> Int { image[place..<place + 8].reduce(0) { $0 << 8 | Int($1) } }
        let l1 = word(40)
        let l2 = word(l1) & 0x00FF_FFFF_FFFF_FE00
        switch damage {
        case "entry": image[l2 + 3 * 8 + 6] |= 2
        case "table": image[l1 + 6] |= 2
        case "end": image.removeLast(image.count - (word(l2 + 20 * 8) & 0x00FF_FFFF_FFFF_FE00))
        default: break
        }
        try Data(image).write(to: URL(fileURLWithPath: folder.file("image")))
    }

    @Test(
        "a damaged image gives what is left of it, and says what is not (case 6.7)",
        arguments: ["entry", "table", "end"], ["raw", "qcow2 -c", "vhd"])
    func aDamagedImageGivesWhatIsLeftOfIt(_ damage: String, _ target: String) throws {
        var random = SeededRandom.printed("\(damage) \(target)")
        let folder = try ScratchFolder("salvage")
        try damaged(folder, damage, &random)
        let words = ["-f", "qcow2", "-O"] + target.split(separator: " ").map(String.init)
        let files = [folder.file("image"), folder.file("copy")]
        if damage != "end" {
            let plain = try Tool.run("gantry", ["image", "convert"] + words + files)
            #expect(plain.status == 1 && !FileManager.default.fileExists(atPath: files[1]))
        }
        let outcome = try Tool.run("gantry", ["image", "convert", "--salvage", "--json"] + words + files)
        #expect(outcome.status == 3, "\(outcome.errors)")
        let report = try json(outcome.output)
        let lost = try #require(report["lost"] as? [[String: Int]]).map {
            Lost(start: $0["start"] ?? -1, length: $0["length"] ?? -1)
        }
        let expected: [Lost]
        switch damage {
        case "entry": expected = [Lost(start: 3 << 16, length: 1 << 16)]
        case "table": expected = [Lost(start: 0, length: 2 << 20)]
        default: expected = [Lost(start: 20 << 16, length: 12 << 16)]
        }
        #expect(lost == expected && report["lost-exact"] as? Bool == true)
        #expect(outcome.errors.contains("lost: \(expected[0].length) bytes from \(expected[0].start) on"))
        // Everything else is there, and nothing where something is lost.
        var content = try Data(contentsOf: URL(fileURLWithPath: folder.file("content")))
        for range in expected {
            content.replaceSubrange(range.start..<range.start + range.length, with: Data(count: range.length))
        }
        try content.write(to: URL(fileURLWithPath: folder.file("left")))
        let format = String(target.prefix { $0 != " " })
        try Tool.check("gantry", ["image", "compare", "-s", "-f", "raw", "-F", format, folder.file("left"), files[1]])
    }

    @Test("a VHD that a broken copy cut short is saved, and nothing without being asked (case 6.7)")
    func aVHDThatWasCutShortIsSaved() throws {
        let folder = try ScratchFolder("salvage-cut")
        try Data(repeating: 7, count: 8 << 20).write(to: URL(fileURLWithPath: folder.file("content")))
        try Tool.check(
            "gantry", ["image", "convert", "-f", "raw", "-O", "vhd", folder.file("content"), folder.file("image")])
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file("image")))
        try file.truncate(atOffset: 5 << 20)
        try file.close()
        let words = ["-f", "vhd", "-O", "raw", folder.file("image"), folder.file("left")]
        let plain = try Tool.run("gantry", ["image", "convert"] + words)
        #expect(plain.status == 1 && plain.errors.contains("lies outside the file"), "\(plain.errors)")
        let saved = try Tool.run("gantry", ["image", "convert", "--salvage"] + words)
        #expect(saved.status == 3 && saved.errors.contains("lost: "), "\(saved.errors)")
        let left = try Data(contentsOf: URL(fileURLWithPath: folder.file("left")))
        #expect(left.count == 8 << 20)
        let kept = left.filter { $0 == 7 }.count
        #expect(kept > 4 << 20 && kept < 5 << 20, "\(kept)")
    }

    @Test("over what is there, what is lost is zeroes; what is whole says nothing (case 6.7)")
    func overWhatIsThereWhatIsLostIsZeroes() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("salvage-over")
        try damaged(folder, "entry", &random)
        try Data(repeating: 9, count: 2 << 20).write(to: URL(fileURLWithPath: folder.file("there")))
        let outcome = try Tool.run(
            "gantry",
            [
                "image", "convert", "--salvage", "-n", "-f", "qcow2", "-O", "raw", folder.file("image"),
                folder.file("there"),
            ])
        #expect(outcome.status == 3 && outcome.output.isEmpty, "\(outcome.errors)")
        #expect(outcome.errors.contains("65536 bytes in 1 range are zeroes in"), "\(outcome.errors)")
        let there = try Data(contentsOf: URL(fileURLWithPath: folder.file("there")))
        let content = try Data(contentsOf: URL(fileURLWithPath: folder.file("content")))
        var expected = content
        expected.replaceSubrange(3 << 16..<4 << 16, with: Data(count: 1 << 16))
        let isLeft = there == expected
        #expect(isLeft)
        let whole = try Tool.run(
            "gantry",
            [
                "image", "convert", "--salvage", "--json", "-f", "raw", "-O", "raw", folder.file("content"),
                folder.file("other"),
            ])
        #expect(whole.status == 0 && whole.errors.isEmpty)
        #expect(try (json(whole.output)["lost"] as? [Any])?.isEmpty == true)
    }
}
