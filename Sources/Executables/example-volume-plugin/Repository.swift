import Foundation

/// A folder with `sr.json`, and for each volume `KEY.raw`, the content, and `KEY.json`, what it is called. A volume is
/// there when its `.json` is.
struct Repository {
    let folder: String

    /// By the caller's `sr`.
    init(_ arguments: Arguments) throws {
        folder = try arguments.text("sr")
        guard FileManager.default.fileExists(atPath: folder + "/sr.json") else {
            throw Refusal("Sr_not_attached", folder)
        }
    }

    /// By a device_config.
    init(_ configuration: [String: String]) throws {
        guard let location = configuration["location"], location.hasPrefix("/") else {
            throw Refusal("SR_BACKEND_FAILURE_94", "", "device_config:location is missing or no absolute path", "")
        }
        folder = location
    }

    func create(uuid: String, name: String) throws -> Any {
        guard !FileManager.default.fileExists(atPath: folder + "/sr.json") else {
            throw Refusal("SR_BACKEND_FAILURE_42", "", "there is an SR in \(folder)", "")
        }
        try write(["uuid": uuid, "name": name], to: folder + "/sr.json")
        return ["location": folder]
    }

    func attach() throws -> Any {
        guard FileManager.default.fileExists(atPath: folder + "/sr.json") else {
            throw Refusal("SR_does_not_exist", folder)
        }
        return folder
    }

    func destroy() throws -> Any {
        try FileManager.default.removeItem(atPath: folder + "/sr.json")
        return NSNull()
    }

    func stat() throws -> Any {
        let space = try FileManager.default.attributesOfFileSystem(forPath: folder)
        let about = try read(folder + "/sr.json")
        return [
            "sr": folder, "name": about["name"] ?? "", "uuid": about["uuid"] ?? "", "description": "",
            "free_space": space[.systemFreeSize] ?? 0, "total_space": space[.systemSize] ?? 0,
            "datasources": [String](), "clustered": false, "health": ["Healthy", ""],
        ] as [String: Any]
    }

    func keys() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            .filter { $0.hasSuffix(".json") && $0 != "sr.json" }.map { String($0.dropLast(5)) }
    }

    // Keys are names of files: none leads out of the folder.
    private func name(_ key: String) -> String { folder + "/" + key.replacingOccurrences(of: "/", with: "_") }
    func file(_ key: String) -> String { name(key) + ".raw" }
    func record(_ key: String) -> String { name(key) + ".json" }

    func about(_ key: String) throws -> [String: Any] {
        guard FileManager.default.fileExists(atPath: record(key)) else { throw Refusal("Volume_does_not_exist", key) }
        return try read(record(key))
    }

    /// The content first; half of a volume is removed again.
    func make(_ key: String, about: [String: Any], _ fill: (String) throws -> Void) throws -> Any {
        do {
            try fill(file(key))
            try write(about, to: record(key))
        } catch {
            try? FileManager.default.removeItem(atPath: file(key))
            throw error
        }
        return try volume(key)
    }

    func volume(_ key: String) throws -> Any {
        let about = try about(key)
        let size = try FileManager.default.attributesOfItem(atPath: file(key))[.size] ?? 0
        return [
            "key": key, "uuid": key, "name": about["name"] ?? "", "description": about["description"] ?? "",
            "read_write": about["read_write"] ?? true, "sharable": false, "virtual_size": size,
            "physical_utilisation": size, "uri": ["plainfile://" + file(key)],
            "keys": about["keys"] ?? [String: String](),
        ] as [String: Any]
    }

    private func read(_ path: String) throws -> [String: Any] {
        let value = try JSONSerialization.jsonObject(with: try Data(contentsOf: URL(fileURLWithPath: path)))
        return value as? [String: Any] ?? [:]
    }

    /// All of the file, or what was there before.
    func write(_ value: [String: Any], to path: String) throws {
        try JSONSerialization.data(withJSONObject: value).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
