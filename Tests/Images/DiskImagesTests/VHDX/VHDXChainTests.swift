import BlockIO
import CoreTypes
import TestSupport
import Testing

@testable import DiskImages

/// Case 5.3: differencing disks.
@Suite struct VHDXChainTests {
    private static let parentID = "AAAAAAAA-2222-3333-4444-555555555555"

    private func locator(_ path: String = #".\base.vhdx"#, linkage: String = parentID) -> [(String, String)] {
        [("parent_linkage", "{\(linkage.lowercased())}"), ("relative_path", path)]
    }

    private func base(_ random: inout SeededRandom, sector: UInt64 = 512, size: UInt64 = 4 << 20) -> VHDXBuilder {
        var builder = VHDXBuilder(size: size, sector: sector)
        builder.dataWriteID = Self.parentID
        for block in 0..<3 as Range<UInt64> {
            builder.blocks[block] = VHDXBuilder.Block(state: 6, data: random.bytes(1 << 20))
        }
        return builder
    }

    /// Partly present blocks with random bitmaps, over a parent that is a little smaller, over one more.
    @Test("sectors come from where the bitmaps say (case 5.3)", arguments: [UInt64(512), 4096])
    func sectorsComeFromWhereTheBitmapsSay(sector: UInt64) throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhdx")
        var size: UInt64 = 4 << 20
        try base(&random, sector: sector, size: size).make(folder.file("base.vhdx"))
        var model = try DiskImage.openImport(path: folder.file("base.vhdx"), format: .vhdx).bytes(
            at: 0, count: Int(size))
        var parentID = Self.parentID
        var parentName = "base.vhdx"
        for (level, name) in ["middle.vhdx", "top.vhdx"].enumerated() {
            size += sector
            model += [UInt8](repeating: 0, count: Int(sector))
            var builder = VHDXBuilder(size: size, sector: sector)
            builder.dataWriteID = "BBBBBBBB-2222-3333-4444-55555555555\(level)"
            builder.locator = locator(#".\"# + parentName, linkage: parentID)
            var bitmap = [UInt8](repeating: 0, count: 1 << 20)
            for (block, state) in [(0, 7), (1, 0), (2, 7), (3, [2, 3, 6, 1][Int(random.next() % 4)])] {
                let start = block << 20
                let data = random.bytes(1 << 20)
                switch state {
                case 6:
                    builder.blocks[UInt64(block)] = VHDXBuilder.Block(state: 6, data: data)
                    model.replaceSubrange(start..<start + (1 << 20), with: data)
                case 7:
                    builder.blocks[UInt64(block)] = VHDXBuilder.Block(state: 7, data: data)
                    var index = 0
                    let count = (1 << 20) / Int(sector)
                    while index < count {
                        let run = min(Int.random(in: 1...40, using: &random), count - index)
                        if Bool.random(using: &random) {
                            for bit in index..<index + run {
                                let global = block * count + bit
                                bitmap[global / 8] |= 1 << UInt8(global % 8)
                            }
                            let bytes = index * Int(sector)..<(index + run) * Int(sector)
                            model.replaceSubrange(
                                start + bytes.lowerBound..<start + bytes.upperBound, with: data[bytes])
                        }
                        index += run
                    }
                case 0: break
                default:
                    builder.blocks[UInt64(block)] = VHDXBuilder.Block(state: UInt64(state))
                    model.replaceSubrange(start..<start + (1 << 20), with: [UInt8](repeating: 0, count: 1 << 20))
                }
            }
            builder.bitmaps[0] = VHDXBuilder.Block(state: 6, data: bitmap)
            try builder.make(folder.file(name))
            parentID = builder.dataWriteID
            parentName = name
        }
        let policies = [
            ImportPolicy(parents: .within(folder: folder.path)),
            ImportPolicy(parents: .given([folder.file("middle.vhdx"), folder.file("base.vhdx")])),
        ]
        for policy in policies {
            let device = try DiskImage.openImport(path: folder.file("top.vhdx"), format: .vhdx, policy: policy)
            #expect(try device.bytes(at: 0, count: Int(size)) == model)
            for _ in 0..<20 {
                let offset = Int.random(in: 0..<Int(size) - 9000, using: &random)
                let count = Int.random(in: 1...9000, using: &random)
                #expect(try device.bytes(at: UInt64(offset), count: count) == Array(model[offset..<offset + count]))
            }
            let map = try device.extents(at: 0, length: size)
            #expect(map.last?.end == size && Set(map.map(\.depth)).count > 1)
            for extent in map where extent.kind != .data {
                #expect(model[Int(extent.offset)..<Int(extent.end)].allSatisfy { $0 == 0 }, "\(extent)")
            }
            #expect(map.contains { $0.kind == .hole })
            try device.close()
        }
        // The second judge, as far as the shortest of the three reaches.
        let judged = try LibyalReader.read(
            "vhdi", ["top.vhdx", "middle.vhdx", "base.vhdx"].map { folder.file($0) }, [(0, 3 << 20)])
        #expect(judged.size == size && judged.bytes == Array(model[..<(3 << 20)]))
        let info = try DiskImage.importInfo(path: folder.file("top.vhdx"), format: .vhdx)
        #expect(info.subformat == "differencing" && info.parentName == #".\middle.vhdx"#)
        #expect(info.parentContentIdentifier == "bbbbbbbb-2222-3333-4444-555555555550")
    }

    @Test("names and identities of parents are checked (case 5.3)")
    func namesAndIdentitiesOfParentsAreChecked() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhdx")
        try Tool.check("mkdir", [folder.file("below"), folder.file("elsewhere")])
        try base(&random).make(folder.file("base.vhdx"))
        var top = VHDXBuilder(size: 4 << 20)

        func open(_ locator: [(String, String)], _ parents: ImportPolicy.Parents, in place: String = "top.vhdx")
            -> String
        {
            top.locator = locator
            do {
                try Tool.check("rm", ["-f", folder.file(place)])
                try top.make(folder.file(place))
                let device = try DiskImage.openImport(
                    path: folder.file(place), format: .vhdx, policy: ImportPolicy(parents: parents))
                try device.close()
                return "opened"
            } catch let error as BlockError { return error.code.name } catch { return "\(error)" }
        }

        let within = ImportPolicy.Parents.within(folder: folder.path)
        let given = ImportPolicy.Parents.given([folder.file("base.vhdx")])
        #expect(open(locator(), .refused) == "denied")
        #expect(open(locator(), .given([])) == "denied")
        #expect(open(locator("nonsense"), given) == "opened")
        #expect(open(locator(), within) == "opened")
        #expect(open(locator("base.vhdx"), within) == "opened")
        #expect(open(locator(#"..\base.vhdx"#), within, in: "below/top.vhdx") == "opened")
        #expect(
            open(locator(#"..\base.vhdx"#), .within(folder: folder.file("below")), in: "below/top.vhdx") == "denied")
        #expect(open(locator(#"..\..\etc\passwd"#), within) == "denied")
        #expect(open(locator("gone.vhdx"), within) == "notFound")
        // Files that were moved together: the drive means nothing, the name beside the child does.
        let absolute = [("parent_linkage", Self.parentID), ("absolute_win32_path", #"C:\Disks\base.vhdx"#)]
        #expect(open(absolute, within) == "opened")
        #expect(open([("parent_linkage", Self.parentID)], within) == "notFound")
        // Another content than the child was made from.
        let other = "CCCCCCCC-2222-3333-4444-555555555555"
        #expect(open(locator(linkage: other), within) == "invalidImage")
        #expect(open(locator(linkage: other), given) == "invalidImage")
        #expect(open(locator(linkage: other) + [("parent_linkage2", Self.parentID)], given) == "opened")
        #expect(open([("relative_path", "base.vhdx")], given) == "corrupt")
        #expect(open(locator() + [("Parent_Linkage", other)], given) == "corrupt")
        // A child that is its own parent, a link, a device, a folder.
        top.dataWriteID = Self.parentID
        #expect(open(locator("top.vhdx"), within) == "corrupt")
        try Tool.check("ln", ["-s", folder.file("base.vhdx"), folder.file("link.vhdx")])
        #expect(open(locator("link.vhdx"), within) == "denied")
        #expect(open(locator("below"), within) == "unsupported")
        // Parents that do not fit.
        top.size = 3 << 20
        #expect(open(locator(), given) == "invalidImage")
        top.size = 4 << 20
        top.sector = 4096
        #expect(open(locator(), given) == "invalidImage")
    }

    @Test func chainsEndSomewhere() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhdx")
        try base(&random).make(folder.file("0.vhdx"))
        var policy = ImportPolicy(parents: .within(folder: folder.path))
        policy.longestChain = 4
        var id = Self.parentID
        for level in 1...4 {
            var builder = VHDXBuilder(size: 4 << 20)
            builder.locator = locator("\(level - 1).vhdx", linkage: id)
            id = "BBBBBBBB-2222-3333-4444-55555555555\(level)"
            builder.dataWriteID = id
            try builder.make(folder.file("\(level).vhdx"))
            let found = code {
                try DiskImage.openImport(path: folder.file("\(level).vhdx"), format: .vhdx, policy: policy).close()
            }
            #expect(found == (level < 4 ? nil : .limitExceeded))
        }
    }

    @Test func aPartlyPresentBlockNeedsItsBitmap() throws {
        var random = SeededRandom.printed()
        let folder = try ScratchFolder("vhdx")
        try base(&random).make(folder.file("base.vhdx"))
        for (name, bitmap) in [
            ("none", nil), ("absent", VHDXBuilder.Block(state: 0)), ("outside", .init(state: 6 | 1 << 40)),
        ] {
            var top = VHDXBuilder(size: 4 << 20)
            top.locator = locator()
            top.blocks[1] = VHDXBuilder.Block(state: 7, data: [UInt8](repeating: 1, count: 1 << 20))
            top.bitmaps[0] = bitmap
            try top.make(folder.file(name))
            let device = try DiskImage.openImport(
                path: folder.file(name), format: .vhdx, policy: ImportPolicy(parents: .within(folder: folder.path)))
            #expect(code { _ = try device.bytes(at: 1 << 20, count: 1) } == .corrupt, "\(name)")
            #expect(code { _ = try device.extents(at: 0, length: 4 << 20) } == .corrupt, "\(name)")
            #expect(code { _ = try device.bytes(at: 0, count: 1) } == nil)
            try device.close()
        }
    }
}
