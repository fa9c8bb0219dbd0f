import Foundation

/// Name in lower case → what answers a call.
func methods() -> [String: (Arguments) throws -> Any] {
    [
        "plugin.query": { _ in
            [
                "plugin": "example", "name": "Example", "description": "Files in a folder", "vendor": "Gantry",
                "copyright": "none", "version": "1.0", "required_api_version": "5.0", "features": ["VDI_MIRROR"],
                "supported_image_formats": ["raw"], "configuration": ["location": "absolute path of the folder"],
                "required_cluster_stack": [String](),
            ] as [String: Any]
        },
        "sr.create": { arguments in
            try Repository(arguments.map("configuration")).create(
                uuid: try arguments.text("uuid"), name: try arguments.text("name"))
        },
        "sr.attach": { try Repository($0.map("configuration")).attach() },
        "sr.detach": { _ in NSNull() },
        "sr.destroy": { try Repository($0).destroy() },
        "sr.stat": { try Repository($0).stat() },
        "sr.ls": { try Repository($0).keys().map(Repository($0).volume) },
        "volume.create": { arguments in
            let repository = try Repository(arguments)
            let key = UUID().uuidString.lowercased()
            return try repository.make(
                key,
                about: [
                    "name": try arguments.text("name"), "description": try arguments.text("description"),
                    "keys": [String: String](),
                ]
            ) { path in
                guard FileManager.default.createFile(atPath: path, contents: nil) else {
                    throw Refusal("SR_BACKEND_FAILURE_78", "", "\(path) cannot be made", "")
                }
                try resize(path, try arguments.size("size"))
            }
        },
        "volume.clone": { try copy($0, isWritable: true) },
        "volume.snapshot": { try copy($0, isWritable: false) },
        "volume.stat": { try Repository($0).volume(try $0.text("key")) },
        "volume.resize": { arguments in
            let (repository, key) = (try Repository(arguments), try arguments.text("key"))
            _ = try repository.about(key)
            try resize(repository.file(key), try arguments.size("new_size"))
            return NSNull()
        },
        "volume.destroy": { arguments in
            let (repository, key) = (try Repository(arguments), try arguments.text("key"))
            _ = try repository.about(key)
            // What says that there is a volume goes first.
            try FileManager.default.removeItem(atPath: repository.record(key))
            try FileManager.default.removeItem(atPath: repository.file(key))
            return NSNull()
        },
        "volume.set": { arguments in
            let (name, value) = (try arguments.text("k"), try arguments.text("v"))
            return try change(arguments) { about in
                var keys = about["keys"] as? [String: String] ?? [:]
                keys[name] = value
                about["keys"] = keys
            }
        },
        "volume.unset": { arguments in
            let name = try arguments.text("k")
            return try change(arguments) { about in
                var keys = about["keys"] as? [String: String] ?? [:]
                keys[name] = nil
                about["keys"] = keys
            }
        },
        "volume.set_name": { arguments in
            let name = try arguments.text("new_name")
            return try change(arguments) { $0["name"] = name }
        },
        "volume.set_description": { arguments in
            let text = try arguments.text("new_description")
            return try change(arguments) { $0["description"] = text }
        },
    ]
}

func copy(_ arguments: Arguments, isWritable: Bool) throws -> Any {
    let (repository, key) = (try Repository(arguments), try arguments.text("key"))
    var about = try repository.about(key)
    about["keys"] = [String: String]()
    about["read_write"] = isWritable
    return try repository.make(UUID().uuidString.lowercased(), about: about) { path in
        try FileManager.default.copyItem(atPath: repository.file(key), toPath: path)
    }
}

func change(_ arguments: Arguments, _ body: (inout [String: Any]) -> Void) throws -> Any {
    let (repository, key) = (try Repository(arguments), try arguments.text("key"))
    var about = try repository.about(key)
    body(&about)
    try repository.write(about, to: repository.record(key))
    return NSNull()
}

func resize(_ path: String, _ size: UInt64) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: size)
    try file.synchronize()
    try file.close()
}
