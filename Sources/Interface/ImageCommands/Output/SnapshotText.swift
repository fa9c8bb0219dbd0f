import CoreTypes
import DiskImages

/// Snapshots as lists; the JSON members are named as qemu-img names them.
enum SnapshotText {
    private struct Line: Encodable {
        let id: String
        let name: String
        let dateSec: UInt32
        let dateNsec: UInt32
        let vmClockSec: UInt64
        let vmClockNsec: UInt64
        let vmStateSize: UInt64
        let diskSize: UInt64

        enum CodingKeys: String, CodingKey {
            case id, name
            case dateSec = "date-sec"
            case dateNsec = "date-nsec"
            case vmClockSec = "vm-clock-sec"
            case vmClockNsec = "vm-clock-nsec"
            case vmStateSize = "vm-state-size"
            case diskSize = "disk-size"
        }
    }

    static func json(_ snapshots: [SnapshotInfo]) -> String {
        let lines = snapshots.map {
            Line(
                id: $0.id, name: $0.name, dateSec: $0.seconds, dateNsec: $0.nanoseconds,
                vmClockSec: $0.guestClock / 1_000_000_000, vmClockNsec: $0.guestClock % 1_000_000_000,
                vmStateSize: $0.stateSize, diskSize: $0.diskSize)
        }
        // Plain values: encoding them cannot fail.
        return (try? JSONText.pretty(lines)) ?? "[]"
    }

    static func table(_ snapshots: [SnapshotInfo]) -> String {
        var text = "\(column("ID", 8))\(column("DATE (UTC)", 22))\(column("DISK", 12))\(column("STATE", 12))NAME\n"
        for snapshot in snapshots {
            text += column(PlainText.of(snapshot.id), 8) + column(date(snapshot.seconds), 22)
            text += column(ByteCount(snapshot.diskSize).description, 12)
            text += column(ByteCount(snapshot.stateSize).description, 12) + PlainText.of(snapshot.name) + "\n"
        }
        return text
    }

    /// E.g. `2026-01-31 08:05:00`, in UTC, of seconds since 1970: days are counted from 1 March 0000, so that a leap day ends
    /// its year, and four centuries have 146097 of them.
    private static func date(_ seconds: UInt32) -> String {
        let day = Int(seconds / 86400) + 719_468
        let (era, inEra) = (day / 146_097, day % 146_097)
        let year = (inEra - inEra / 1460 + inEra / 36524 - inEra / 146_096) / 365
        let inYear = inEra - (365 * year + year / 4 - year / 100)
        let fromMarch = (5 * inYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        let date = inYear - (153 * fromMarch + 2) / 5 + 1
        let clock = Int(seconds % 86400)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(era * 400 + year + (month < 3 ? 1 : 0))-\(two(month))-\(two(date)) "
            + "\(two(clock / 3600)):\(two(clock / 60 % 60)):\(two(clock % 60))"
    }

    private static func column(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
