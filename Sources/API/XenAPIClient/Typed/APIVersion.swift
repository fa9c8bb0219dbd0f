/// The version of the API that a server speaks, e.g. 2.21.
public struct APIVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let major: Int64
    public let minor: Int64

    public init(_ major: Int64, _ minor: Int64) {
        self.major = major
        self.minor = minor
    }

    /// The version that this library is made from.
    public static let ofLibrary = APIVersion(2, 23)

    public static func < (left: APIVersion, right: APIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    public var description: String { "\(major).\(minor)" }
}

extension XenAPICaller {
    /// The version that the coordinator speaks. Calls and parameters of later versions than this are unknown to it.
    public func apiVersion() async throws -> APIVersion {
        guard let pool = try await self.pool.getAll().first else {
            throw WireMismatch(expected: "a pool", in: "pool.get_all")
        }
        let coordinator = try await self.pool.get(\.master, of: pool)
        return APIVersion(
            try await host.get(\.apiVersionMajor, of: coordinator),
            try await host.get(\.apiVersionMinor, of: coordinator))
    }
}
