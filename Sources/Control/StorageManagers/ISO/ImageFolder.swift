import BlockIO
import CoreTypes
import Foundation
import StorageInterface

/// A folder of CD images. Only regular files directly in it whose names say that they are images count. Blocking.
struct ImageFolder {
    let path: String

    /// The name of an image: it ends in `.iso` or `.img`, and holds nothing that shells, terminals or XML make something
    /// else of.
    static func isName(_ name: String) -> Bool {
        let lower = name.lowercased()
        return (lower.hasSuffix(".iso") || lower.hasSuffix(".img")) && !name.hasPrefix(".") && name.utf8.count <= 255
            && name.unicodeScalars.allSatisfy { scalar in
                scalar.value >= 32 && !(127...159).contains(scalar.value) && scalar.value != 0xFFFD
                    && !"/\\<>\"'`$;|&*?".unicodeScalars.contains(scalar)
            }
    }

    func check() throws(StorageError) {
        var facts = Glibc.stat()
        guard unsafe stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR else {
            throw StorageError(.imageFolderInvalid, "\(path) is not a folder of this host")
        }
    }

    func scan() throws(StorageError) -> RepositoryScan {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw StorageError(.repositoryUnavailable, "cannot read the folder \(path): \(error.localizedDescription)")
        }
        var result = RepositoryScan(volumes: [], problems: [:])
        for name in names.sorted() {
            let lower = name.lowercased()
            guard lower.hasSuffix(".iso") || lower.hasSuffix(".img") else { continue }
            do throws(StorageError) {
                result.volumes.append(try volume(name))
            } catch {
                result.problems[name] = error.message
            }
        }
        return result
    }

    func volume(_ name: String) throws(StorageError) -> Volume {
        guard Self.isName(name) else {
            throw StorageError(.volumeMissing, "'\(name)' is not a name that a CD image can have here")
        }
        var facts = Glibc.stat()
        // Links are not followed: they may lead out of the folder.
        guard unsafe lstat(path + "/" + name, &facts) == 0 else {
            throw StorageError(
                BlockError(call: "stat", errno: errno, path: path + "/" + name), otherwise: .volumeUnavailable)
        }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw StorageError(.volumeMissing, "\(path)/\(name) is not a regular file")
        }
        return Volume(
            uuid: "", location: name, format: .raw, virtualSize: UInt64(facts.st_size),
            physicalSize: UInt64(facts.st_blocks) * 512, isReadOnly: true, nameLabel: name)
    }
}
