/// One test: what it is called, what the endpoint must have for it, and what it does. It throws `Mismatch` when the
/// endpoint did something else than it should, `Skip` when only the attempt could tell that it lacks something.
struct QuickCase: Sendable {
    let name: String
    let needs: [Need]
    let body: @Sendable (DiskBench) async throws -> Void
}

/// Something that a repository must have.
struct Need: Hashable, Sendable {
    enum Thing: Hashable, Sendable {
        /// A name in `SM.features`.
        case feature(String)
        /// One of these names there: a move needs the first at its destination, or, of servers of before there was that, the second.
        case anyFeature([String])
        /// A word in `SR.allowed_operations`.
        case operation(String)
        /// A word in `SM.supported_image_formats`.
        case format(String)
    }

    let thing: Thing
    let repository: RepositoryFacts

    /// Why the case cannot run; nil when it can.
    var missing: String? {
        switch thing {
        case .feature(let name):
            guard !repository.features.contains(name) else { return nil }
            return "the storage manager '\(repository.type)' does not have the feature \(name)"
        case .anyFeature(let names):
            guard repository.features.isDisjoint(with: names) else { return nil }
            return
                "the storage manager '\(repository.type)' does not have the feature \(names.joined(separator: " or "))"
        case .operation(let word):
            guard !repository.operations.contains(word) else { return nil }
            return "the repository '\(repository.name)' does not allow \(word) (SR.allowed_operations)"
        case .format(let word):
            guard repository.formats?.contains(word) != true else { return nil }
            return "the storage manager '\(repository.type)' does not name the format \(word)"
                + " (SM.supported_image_formats)"
        }
    }
}

extension Need {
    /// What the two ends of a move must have.
    static func move(along path: MigrationPath) -> [Need] {
        [
            Need(thing: .feature("VDI_MIRROR"), repository: path.source.repository),
            Need(thing: .anyFeature(["VDI_MIRROR_IN", "VDI_MIRROR"]), repository: path.destination.repository),
        ]
    }
}

/// A case with the decision whether it runs.
struct PlannedCase: Sendable {
    let test: QuickCase
    /// Why it does not run; nil when it does.
    let skip: String?

    init(_ test: QuickCase) {
        self.test = test
        skip = test.needs.lazy.compactMap(\.missing).first
    }

    /// A case that cannot even be set up.
    init(_ name: String, skip: String) {
        test = QuickCase(name: name, needs: []) { _ in throw Skip(skip) }
        self.skip = skip
    }
}

/// The endpoint lacks what the case is about.
struct Skip: Error, CustomStringConvertible {
    let description: String

    init(_ reason: String) { description = reason }
}

/// The endpoint did not do what it should.
struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ text: String) { description = text }
}
