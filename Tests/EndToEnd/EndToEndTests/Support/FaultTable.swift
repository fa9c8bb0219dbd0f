import Foundation
import TestSupport
import Testing

/// What becomes of a move when something fails at one of its phases: what tests expect, and what docs/operations.md shows.
protocol FaultTable {
    associatedtype Phase: CaseIterable, RawRepresentable, Sendable where Phase.RawValue == String
    associatedtype Fault: CaseIterable, RawRepresentable, Sendable where Fault.RawValue == String
    associatedtype Outcome: FaultOutcome

    /// Above the phases.
    static var heading: String { get }

    /// Nil: there is nothing that could fail so.
    static func outcome(_ phase: Phase, _ fault: Fault) -> Outcome?
}

protocol FaultOutcome: Equatable, Sendable {
    /// As documents have it.
    var text: String { get }
}

struct FaultCell<Table: FaultTable>: Sendable, CustomStringConvertible {
    let phase: Table.Phase
    let fault: Table.Fault
    let outcome: Table.Outcome

    var description: String { "\(phase.rawValue), \(fault.rawValue)" }
}

extension FaultTable {
    typealias Cell = FaultCell<Self>

    /// `count` of those cells that `isMeant`, as `GateShare` has it; or with `GANTRY_CELLS` all whose phase and fault have that in their names.
    static func some(_ count: Int, _ test: String, where isMeant: (Cell) -> Bool = { _ in true }) -> [Cell] {
        let meant = cells.filter(isMeant)
        guard let words = ProcessInfo.processInfo.environment["GANTRY_CELLS"] else {
            return GateShare.some(count, of: meant, test)
        }
        #expect(
            MoveFaults.hasCell(called: words) || CrossPoolFaults.hasCell(called: words),
            "GANTRY_CELLS: no phase and no fault of either table has '\(words)' in its name")
        return meant.filter { "\($0)".contains(words) }
    }

    private static func hasCell(called words: String) -> Bool { cells.contains { "\($0)".contains(words) } }

    static var cells: [Cell] {
        Phase.allCases.flatMap { phase in
            Fault.allCases.compactMap { fault in
                outcome(phase, fault).map { Cell(phase: phase, fault: fault, outcome: $0) }
            }
        }
    }

    /// As documents have it.
    static var table: String {
        var lines = [
            "| \(heading) | " + Fault.allCases.map(\.rawValue).joined(separator: " | ") + " |",
            "|" + String(repeating: " --- |", count: Fault.allCases.count + 1),
        ]
        for phase in Phase.allCases {
            let cells = Fault.allCases.map { outcome(phase, $0)?.text ?? "–" }
            lines.append("| " + ([phase.rawValue] + cells).joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }
}
