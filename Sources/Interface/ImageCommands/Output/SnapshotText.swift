import CoreTypes
import DiskImages
import Glibc

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

    /// E.g. `2026-01-31 08:05:00`, in UTC.
    static func date(_ seconds: UInt32) -> String {
        var time = time_t(seconds)
        var parts = tm()
        // SAFETY: local variables; the call reads one and fills the other.
        _ = unsafe gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }

    private static func column(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
