import Foundation
import TestSupport
import Testing

@Suite struct DocumentationTests {
    private func texts(in folder: String, suffix: String) throws -> [(name: String, text: String)] {
        let url = SourceTree.url(folder)
        return try FileManager.default.contentsOfDirectory(atPath: url.path).sorted().filter { $0.hasSuffix(suffix) }
            .map { ($0, try String(contentsOf: url.appendingPathComponent($0), encoding: .utf8)) }
    }

    /// What readers copy out of the articles is compiled, and run by other tests.
    @Test func theCodeInTheArticlesIsThatOfTheExamples() throws {
        let examples = try texts(in: "Sources/Examples/XenAPIExamples", suffix: ".swift")
        let articles = try texts(in: "Sources/API/XenAPIClient/XenAPIClient.docc", suffix: ".md")
        var shown: Set<String> = []
        for article in articles {
            let parts = article.text.components(separatedBy: "```")
            #expect(parts.count % 2 == 1, "\(article.name): a block of code does not end")
            for block in stride(from: 1, to: parts.count, by: 2).map({ parts[$0] }) {
                #expect(block.hasPrefix("swift\n"), "\(article.name): a block of code is not Swift")
                let code = block.dropFirst("swift\n".count).trimmingCharacters(in: .newlines)
                let source = examples.first { $0.text.contains(code) }
                #expect(source != nil, "\(article.name): no example has\n\(code)")
                if let source { shown.insert(source.name) }
            }
        }
        #expect(shown == Set(examples.map(\.name)), "every example is shown in an article")
    }

    /// DocC itself would take longer: scripts/make-docc.sh.
    @Test func linksBetweenArticlesLeadToArticles() throws {
        let articles = try texts(in: "Sources/API/XenAPIClient/XenAPIClient.docc", suffix: ".md")
        let names = Set(articles.map { $0.name.dropLast(3) })
        for article in articles {
            for part in article.text.components(separatedBy: "<doc:").dropFirst() {
                let link = part.prefix { $0 != ">" }
                #expect(names.contains(link), "\(article.name): there is no article \(link)")
            }
        }
    }
}
