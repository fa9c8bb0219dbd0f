import DataModel
import Foundation

// datamodel-gen <folder>: writes the Swift form of the datamodel there; scripts/generate.sh runs it.
guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: datamodel-gen FOLDER\n".utf8))
    exit(2)
}

let folder = URL(fileURLWithPath: CommandLine.arguments[1])
let files = ClassFiles.all + [EnumFiles.all, ErrorCodeFile.all]
do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let wanted = Set(files.map(\.name))
    for old in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where old.hasSuffix(".swift") && !wanted.contains(old) {
        try FileManager.default.removeItem(at: folder.appendingPathComponent(old))
    }
    for file in files {
        try Data(file.text.utf8).write(to: folder.appendingPathComponent(file.name))
    }
} catch {
    FileHandle.standardError.write(Data("datamodel-gen: \(error)\n".utf8))
    exit(1)
}
