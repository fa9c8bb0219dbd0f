import DataModel
import Testing

@testable import XECommands

/// The families' tables against the datamodel: a typing mistake in either shows here.
@Suite struct FamilyTableTests {
    @Test(arguments: Family.all.map(\.name))
    func everyFieldReadsSomethingThatExists(name: String) throws {
        let family = try #require(Family.all.first { $0.name == name })
        let declared = try #require(Datamodel.all.classNamed(family.className))
        for field in family.fields {
            switch field.source {
            case .member(let member, let references):
                let source = try #require(declared.field(member), "\(field.name) reads \(member)")
                #expect(Self.referenced(source.type) == references, "\(field.name)")
            case .follow(let member, let className, let then):
                let source = try #require(declared.field(member), "\(field.name) follows \(member)")
                #expect(Self.referenced(source.type) == className, "\(field.name)")
                #expect(Datamodel.all.classNamed(className)?.field(then) != nil, "\(field.name) reads \(then)")
            case .call(let method, _, _):
                #expect(Datamodel.all.message(method) != nil, "\(field.name) calls \(method)")
            case .computed(let name):
                #expect(["host", "attachable"].contains(name))
            }
        }
    }

    @Test(arguments: Family.all.map(\.name))
    func everyPlainWritableFieldHasASetter(name: String) throws {
        let family = try #require(Family.all.first { $0.name == name })
        for field in family.fields where field.marker == .readWrite {
            let member = try #require(field.source.settableMember)
            #expect(
                Datamodel.all.message("\(family.className).set_\(member)") != nil, "\(family.className).set_\(member)")
        }
    }

    @Test func namesOfFieldsAndCommandsAreUnique() {
        for family in Family.all { #expect(Set(family.fields.map(\.name)).count == family.fields.count) }
        #expect(Set(Command.all.map(\.name)).count == Command.all.count)
    }

    @Test func defaultColumnsAreFields() {
        for family in Family.all where family.name != "snapshot" {
            for column in family.columns { #expect(family.field(column) != nil, "\(family.name) \(column)") }
        }
    }

    private static func referenced(_ type: ModelType) -> String? {
        switch type {
        case .ref(let name): name
        case .set(let element): referenced(element)
        case .map(_, let value): referenced(value)
        default: nil
        }
    }
}
