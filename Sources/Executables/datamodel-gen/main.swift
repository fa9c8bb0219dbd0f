import DataModel
import Foundation

// datamodel-gen FOLDER: writes the Swift form of the datamodel there; scripts/generate.sh runs it.
// datamodel-gen client FOLDER: writes the typed messages and records of XenAPIClient there; the same script.
// datamodel-gen json: prints the datamodel as JSON.
// datamodel-gen pages FOLDER COVERAGE: writes the reference there; scripts/make-api-pages.sh runs it.
let words = Array(CommandLine.arguments.dropFirst())
do {
    switch (words.first, words.count) {
    case ("json", 1):
        try FileHandle.standardOutput.write(contentsOf: try DatamodelDescription(.all).encoded() + Data("\n".utf8))
    case ("pages", 3):
        let coverage = try JSONDecoder().decode(
            [String: String].self, from: try Data(contentsOf: URL(fileURLWithPath: words[2])))
        let pages = ReferencePages(model: .all, coverage: coverage).all
        try OutputFolder(words[1]).replace(suffix: ".md", with: pages)
    case ("client", 2):
        try OutputFolder(words[1]).replace(
            suffix: ".swift", with: Dictionary(ClientFiles.all.map { ($0.name, $0.text) }) { first, _ in first })
    case (let folder?, 1):
        let files = ClassFiles.all + [EnumFiles.all, ErrorCodeFile.all]
        try OutputFolder(folder).replace(
            suffix: ".swift", with: Dictionary(files.map { ($0.name, $0.text) }) { first, _ in first })
    default:
        FileHandle.standardError.write(
            Data("usage: datamodel-gen FOLDER | client FOLDER | json | pages FOLDER COVERAGE\n".utf8))
        exit(2)
    }
} catch {
    FileHandle.standardError.write(Data("datamodel-gen: \(error)\n".utf8))
    exit(1)
}
