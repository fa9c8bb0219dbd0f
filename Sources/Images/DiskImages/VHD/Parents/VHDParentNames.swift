import BlockIO
import CoreTypes

/// What a differencing VHD says of where its parent is: from the locators and the name in the header.
struct VHDParentNames {
    /// Paths with `/` in the order in which they are tried: relative Windows path, Mac URL, Windows path, the name beside
    /// the child; those that begin with a drive or a server of another machine come last.
    private(set) var names: [String] = []
    /// Why locators were passed over.
    private(set) var notes: [String] = []

    init(file: any ImageStorage, header: VHDHeader, fileLength: UInt64) throws(BlockError) {
        var foreign: [String] = []
        let order = [VHDLocator.relativeWindows, VHDLocator.fileURL, VHDLocator.absoluteWindows]
        for code in order {
            for locator in header.locators where locator.code == code {
                guard locator.range(fileLength: fileLength) != nil, locator.length <= VHDPathText.longest else {
                    notes.append("the parent locator \(locator.name) does not fit its space or the file")
                    continue
                }
                let payload = try file.array(at: locator.offset, count: Int(locator.length))
                if code == VHDLocator.fileURL {
                    if let path = VHDPathText.fromURL(payload) { add(path) } else { reject(locator) }
                } else if let text = VHDPathText.decodeUTF16(payload, littleEndian: true) {
                    let (path, isForeign) = VHDPathText.fromWindows(text)
                    if isForeign { foreign.append(path) } else { add(path) }
                } else {
                    reject(locator)
                }
            }
        }
        if let name = header.parentName {
            // Hyper-V stores a whole path; beside the child only its last part means anything.
            let last = VHDPathText.fromWindows(name).path.split(separator: "/").last.map(String.init)
            if let last, ![".", ".."].contains(last) { add("./" + last) }
        }
        for path in foreign { add(path) }
    }

    private mutating func add(_ path: String) {
        let plain = path.hasPrefix("/") || path.hasPrefix("./") || path.hasPrefix("../") ? path : "./" + path
        if !names.contains(plain) { names.append(plain) }
    }

    private mutating func reject(_ locator: VHDLocator) {
        notes.append("the parent locator \(locator.name) holds no path")
    }
}
