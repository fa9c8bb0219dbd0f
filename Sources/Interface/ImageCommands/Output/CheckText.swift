import CoreTypes
import DiskImages

/// What `check` tells; the JSON members are named as qemu-img names them, `findings` and `leaks-fixed` beside them.
struct CheckText: Encodable {
    struct Finding: Encodable {
        let severity: String
        let message: String
        let offset: UInt64?
        let repaired: Bool
    }

    let filename: String
    let format: String
    let checkErrors = 0
    let corruptions: UInt64
    let leaks: UInt64
    let corruptionsFixed: UInt64
    let leaksFixed: UInt64
    let totalClusters: UInt64
    let allocatedClusters: UInt64
    let compressedClusters: UInt64
    let fragmentedClusters: UInt64
    let imageEnd: UInt64
    let findings: [Finding]

    enum CodingKeys: String, CodingKey {
        case filename, format, corruptions, leaks, findings
        case checkErrors = "check-errors"
        case corruptionsFixed = "corruptions-fixed"
        case leaksFixed = "leaks-fixed"
        case totalClusters = "total-clusters"
        case allocatedClusters = "allocated-clusters"
        case compressedClusters = "compressed-clusters"
        case fragmentedClusters = "fragmented-clusters"
        case imageEnd = "image-end-offset"
    }

    init(filename: String, format: ImageFormat, report: CheckReport) {
        self.filename = filename
        self.format = format.rawValue
        corruptions = report.corruptions
        leaks = report.leaks
        corruptionsFixed = report.corruptionsRepaired
        leaksFixed = report.leaksRepaired
        totalClusters = report.totalClusters
        allocatedClusters = report.allocatedClusters
        compressedClusters = report.compressedClusters
        fragmentedClusters = report.fragmentedClusters
        imageEnd = report.imageEnd
        findings = report.findings.map {
            Finding(
                severity: $0.severity.rawValue, message: $0.message, offset: $0.offset, repaired: $0.isRepaired)
        }
    }

    /// For people.
    var text: String {
        var lines = findings.map { finding in
            let place = finding.offset.map { " (at byte \($0))" } ?? ""
            return
                "\(finding.severity)\(finding.repaired ? ", repaired" : ""): \(PlainText.of(finding.message))\(place)"
        }
        let counted = corruptions + leaks + corruptionsFixed + leaksFixed
        if UInt64(findings.count { $0.severity != CheckReport.Severity.note.rawValue }) < counted {
            lines.append("… and more of the kind")
        }
        if corruptionsFixed + leaksFixed > 0 {
            lines.append("repaired: \(corruptionsFixed) corruptions, \(leaksFixed) leaked clusters")
        }
        if corruptions > 0 {
            lines.append("\(corruptions) corruptions: data can be wrong, and writing would make it worse")
        }
        if leaks > 0 { lines.append("\(leaks) leaked clusters: space is lost, the data are sound") }
        if corruptions + leaks == 0 { lines.append("\(filename): no damage found") }
        if totalClusters > 0 {
            lines.append(
                "\(allocatedClusters) of \(totalClusters) clusters allocated (\(percent(allocatedClusters, totalClusters)))"
                    + ", \(percent(fragmentedClusters, allocatedClusters)) of them fragmented"
                    + ", \(percent(compressedClusters, allocatedClusters)) compressed")
        }
        lines.append("in use up to byte \(imageEnd)")
        return lines.joined(separator: "\n")
    }

    private func percent(_ part: UInt64, _ whole: UInt64) -> String {
        whole == 0 ? "0 %" : "\(part.multipliedFullWidth(by: 100).low / whole) %"
    }
}
