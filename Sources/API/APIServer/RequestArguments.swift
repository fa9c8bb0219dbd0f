import Foundation
import HTTPTypes

/// What a request says about itself in its query and its cookies.
struct RequestArguments: Sendable {
    let path: String
    private let query: [String: String]
    private let cookies: [String: String]

    init(_ request: Request) {
        let target = request.target
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = Self.path(of: target)
        query = parts.count == 2 ? Self.pairs(parts[1], separator: "&") : [:]
        var cookies: [String: String] = [:]
        for line in request.headers[values: .cookie] {
            for separator in [";", ","] where line.contains(separator) || separator == ";" {
                cookies.merge(Self.pairs(Substring(line), separator: Character(separator))) { first, _ in first }
            }
        }
        self.cookies = cookies
    }

    /// From the query only.
    subscript(name: String) -> String? { query[name] }

    /// From the query, else from the cookies: what a transfer is asked for with. Source: xapi reads `query @ cookie`.
    func parameter(_ name: String) -> String? { query[name] ?? cookies[name] }

    /// From the cookies, else from the query: what identifies a caller or a task.
    func identity(_ name: String) -> String? { cookies[name] ?? query[name] }

    /// The path of a request's target, decoded. Proxies send whole URLs: of those, too.
    static func path(of target: String) -> String {
        var path = target.prefix { $0 != "?" }
        for scheme in ["http://", "https://"] where path.hasPrefix(scheme) {
            path = path.dropFirst(scheme.count).drop { $0 != "/" }
        }
        return path.isEmpty ? "/" : decode(path)
    }

    private static func pairs(_ text: Substring, separator: Character) -> [String: String] {
        var all: [String: String] = [:]
        for pair in text.split(separator: separator) {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = decode(sides[0]).trimmingCharacters(in: .whitespaces)
            guard !name.isEmpty, all[name] == nil else { continue }
            all[name] = sides.count == 2 ? decode(sides[1]).trimmingCharacters(in: .whitespaces) : ""
        }
        return all
    }

    private static func decode(_ text: Substring) -> String {
        String(text).removingPercentEncoding ?? String(text)
    }
}
