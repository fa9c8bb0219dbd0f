extension MetricArchive {
    /// The whole archive as RRDtool's XML, version 0003.
    public var xml: String {
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rrd><version>0003</version>"
        text += "<step>\(ArchiveLevel.primaryStep)</step><lastupdate>\(lastUpdate)</lastupdate>"
        for series in series {
            let source = series.source
            text += "<ds><name>\(MetricText.xml(source.name))</name><type>\(source.kind.rawValue)</type>"
            text += "<minimal_heartbeat>\(MetricText.number(Self.heartbeat))</minimal_heartbeat>"
            text += "<min>\(MetricText.number(source.minimum))</min><max>\(MetricText.number(source.maximum))</max>"
            text += "<last_ds>\(MetricText.number(series.lastSample))</last_ds>"
            text += "<value>0.0</value><unknown_sec>0</unknown_sec></ds>"
        }
        forEachTable { table in
            text += "<rra><cf>\(table.consolidation.rawValue)</cf><pdp_per_row>\(table.level.points)</pdp_per_row>"
            text += "<params><xff>1.0</xff></params><cdp_prep>"
            for row in table.progress {
                text += "<ds><primary_value>0.0</primary_value><secondary_value>0.0</secondary_value>"
                text += "<value>\(MetricText.number(row.value(table.consolidation)))</value>"
                text += "<unknown_datapoints>\(row.unknown)</unknown_datapoints></ds>"
            }
            text += "</cdp_prep><database>"
            for age in stride(from: table.level.rows - 1, through: 0, by: -1) {
                text += "<row>"
                for ring in table.rings { text += "<v>\(MetricText.number(ring.value(age: age)))</v>" }
                text += "</row>"
            }
            text += "</database></rra>"
        }
        return text + "</rrd>"
    }

    /// The same as JSON, its numbers as strings.
    public var json: String {
        var text = "{\"version\":\"0003\",\"step\":\"\(ArchiveLevel.primaryStep)\",\"lastupdate\":\"\(lastUpdate)\","
        text += "\"ds\":["
        text += series.map { series in
            let source = series.source
            return "{\"name\":\(MetricText.json(source.name)),\"type\":\"\(source.kind.rawValue)\","
                + "\"minimal_heartbeat\":\"\(MetricText.number(Self.heartbeat))\","
                + "\"min\":\"\(MetricText.number(source.minimum))\",\"max\":\"\(MetricText.number(source.maximum))\","
                + "\"last_ds\":\"\(MetricText.number(series.lastSample))\",\"value\":\"0.0\",\"unknown_sec\":\"0\"}"
        }.joined(separator: ",")
        text += "],\"rra\":["
        var isFirst = true
        forEachTable { table in
            if !isFirst { text += "," }
            isFirst = false
            text += "{\"cf\":\"\(table.consolidation.rawValue)\",\"pdp_per_row\":\"\(table.level.points)\","
            text += "\"params\":{\"xff\":\"1.0\"},\"cdp_prep\":{\"ds\":["
            text += table.progress.map { row in
                "{\"primary_value\":\"0.0\",\"secondary_value\":\"0.0\","
                    + "\"value\":\"\(MetricText.number(row.value(table.consolidation)))\","
                    + "\"unknown_datapoints\":\"\(row.unknown)\"}"
            }.joined(separator: ",")
            text += "]},\"database\":["
            for age in stride(from: table.level.rows - 1, through: 0, by: -1) {
                if age < table.level.rows - 1 { text += "," }
                text += "["
                text += table.rings.map { "\"\(MetricText.number($0.value(age: age)))\"" }.joined(separator: ",")
                text += "]"
            }
            text += "]}"
        }
        return text + "]}"
    }

    /// Seconds after which a source that is silent counts as unknown.
    private static var heartbeat: Double { Double(ArchiveLevel.primaryStep * (bridged + 1)) }

    private struct ArchiveTable {
        let level: ArchiveLevel
        let consolidation: Consolidation
        let rings: [Ring]
        let progress: [RowInProgress]
    }

    private func forEachTable(_ body: (ArchiveTable) -> Void) {
        for (index, level) in ArchiveLevel.all.enumerated() {
            for (place, consolidation) in level.consolidations.enumerated() {
                body(
                    ArchiveTable(
                        level: level, consolidation: consolidation, rings: series.map { $0.rings[index][place] },
                        progress: series.map { $0.progress[index] }))
            }
        }
    }
}
