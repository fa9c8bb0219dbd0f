import DatapathControl
import Foundation
import MetricArchives
import StorageInterface
import TestSupport
import Testing

@testable import Toolstack

@Suite struct ReadingTests {
    @Test func processorsAreReadAsSharesOfTime() throws {
        let text = """
            cpu  300 0 100 1600 0 0 0 0 0 0
            cpu0 100 0 50 850 0 0 0 0 0 0
            cpu1 200 0 50 750 0 0 0 0 0 0
            intr 5 0 0
            """
        let later = """
            cpu0 200 0 50 1250 0 0 0 0 0 0
            cpu1 700 0 50 750 0 0 0 0 0 0
            """
        var archive = MetricArchive()
        archive.record(MachineReadings.processors(text, ticks: 100, []), at: 1000)
        archive.record(MachineReadings.processors(later, ticks: 100, []), at: 1005)
        #expect(archive.names.sorted() == ["cpu0", "cpu1", "cpu_avg"])
        #expect(archive.value("cpu0") == 0.2 && archive.value("cpu1") == 1)
        let mean = try #require(archive.value("cpu_avg"))
        #expect(abs(mean - 0.6) < 1e-9)
    }

    @Test func threadsAndMemoryOfQEMUAreUnderstood() {
        #expect(GuestReadings.processor("CPU 12/TCG\n") == 12)
        #expect(GuestReadings.processor("qemu-system-x86\n") == nil)
        let stat = "77 (CPU 0/KVM) x) ) S 1 1 1 0 -1 1 0 0 0 0 250 50 0 0 20"
        #expect(GuestReadings.time(stat) == 300)
        #expect(GuestReadings.resident("1000 3 1 1 0 1 0") == 3 * Double(sysconf(Int32(_SC_PAGESIZE))))
    }

    /// A data path that is started anew counts from zero; what it did before is not lost.
    @Test func totalsOutliveTheProcessesThatCount() {
        var totals = DiskTotals()
        var counters = DatapathCounters()
        (counters.reads, counters.readBytes, counters.readLatency) = (10, 4096, [10, 0])
        totals.take(counters, vdi: "a", sr: "s")
        (counters.reads, counters.readBytes, counters.readLatency) = (15, 8192, [12, 3])
        totals.take(counters, vdi: "a", sr: "s")
        var fresh = DatapathCounters()
        (fresh.reads, fresh.readBytes, fresh.readLatency) = (2, 512, [0, 2])
        totals.take(fresh, vdi: "a", sr: "s")
        var other = DatapathCounters()
        other.reads = 100
        totals.take(other, vdi: "b", sr: "s")
        #expect(totals["a"]?.reads == 17 && totals["a"]?.readBytes == 8704)
        #expect(totals["a"]?.readLatency == [12, 5] && totals["b"]?.readLatency == nil)
        #expect(totals.repositories["s"]?.reads == 117)
        totals.keep(["b"])
        #expect(totals["a"] == nil && totals.repositories["s"]?.reads == 117)
    }

    @Test func whatPluginsMeasureIsOfItsOwnerAndOfNow() throws {
        func page(_ time: Double, _ done: Double) -> StorageMetrics {
            StorageMetrics(
                time: time,
                all: [
                    StorageMetric(
                        name: "heat", description: "", units: "K", owner: .host, kind: .gauge, value: 300, minimum: 0),
                    StorageMetric(
                        name: "done", description: "", units: "", owner: .repository("s"), kind: .increase, value: done),
                    StorageMetric(
                        name: "alien", description: "", units: "", owner: .repository("t"), kind: .gauge, value: 1),
                    StorageMetric(
                        name: "quiet", description: "", units: "", owner: .machine("v"), kind: .counter, value: 8,
                        isDefault: false),
                ])
        }
        var plugins = PluginReadings()
        var archive = MetricArchive()
        // The second look sees the page of the first, the third one that was written since.
        for (now, written, done) in [(1000.0, 999.0, 50.0), (1005, 999, 50), (1010, 1009, 20)] {
            let found = plugins.read([page(written, done)], sr: "s", host: "h", at: now)
            #expect(found.map(\.owner) == [.host("h"), .sr("s"), .vm("v")])
            #expect(found[0].reading.sample == 300 && !found[2].reading.isArchived)
            archive.record(found.filter { $0.owner == .sr("s") }.map(\.reading), at: now)
        }
        #expect(archive.names == ["done"] && archive.value("done") == 4)
        let late = plugins.read([page(1009, 1)], sr: "s", host: "h", at: 1050)
        #expect(late.allSatisfy { $0.reading.sample.isNaN })
        let text = Exposition.text(plugins.read([page(1009, 20)], sr: "s", host: "h", at: 1012).map(\.reading))
        #expect(
            text.contains("gantry_plugin_value{sr=\"s\",owner=\"host\",owner_uuid=\"h\",source=\"heat\"} 300\n")
                && text.contains(
                    "gantry_plugin_count_total{sr=\"s\",owner=\"sr\",owner_uuid=\"s\",source=\"done\"} 20\n")
        )
    }

    /// Element `n` of a histogram counts what took less than `2^n` microseconds and was not counted before.
    @Test func percentilesAreThoseOfTheRequestsBetweenTwoLooks() {
        #expect(LatencyPercentiles.milliseconds(50, [5, 0, 0, 0], [5, 0, 0, 100]) == 0.006)
        #expect(LatencyPercentiles.milliseconds(99, [5, 0, 0, 0], [104, 0, 0, 1]) == 0.001)
        #expect(abs(LatencyPercentiles.milliseconds(99, nil, [0, 50, 0, 50]) - 0.00792) < 1e-9)
        #expect(LatencyPercentiles.milliseconds(99, [1, 2], [1, 2]) == 0)
        #expect(LatencyPercentiles.milliseconds(99, [1, 2], nil).isNaN)
        #expect(LatencyPercentiles.milliseconds(99, [1, 2], [0, 2]).isNaN)
        var disks = DiskReadings()
        var counters = DatapathCounters()
        counters.readLatency = [0, 0, 0, 0]
        let labels = [Exposition.Label("vm", "v")]
        _ = disks.disk(device: "xvda", counters, vm: labels)
        counters.readLatency = [0, 0, 0, 100]
        let readings = disks.disk(device: "xvda", counters, vm: labels)
        #expect(readings.first { $0.source.name == "vbd_xvda_read_latency_p50" }?.sample == 0.006)
        let text = Exposition.text(readings)
        let line = "gantry_vm_disk_read_latency_seconds{vm=\"v\",device=\"xvda\",quantile=\"0.99\"} 7.9"
        #expect(text.contains(line), "\(text)")
        #expect(!text.contains("gantry_vm_disk_write_latency_seconds{"))
    }

    private static func page(_ names: [String], owner: StorageMetric.Owner = .host) -> StorageMetrics {
        StorageMetrics(
            time: 1000,
            all: names.map {
                StorageMetric(name: $0, description: "", units: "", owner: owner, kind: .gauge, value: 1)
            })
    }

    @Test("a plugin whose names change has 256 of them in an archive") func namesInArchivesAreBounded() {
        var plugins = PluginReadings()
        var archived = 0
        for look in 0..<6 {
            let names = (0..<100).map { "n\(look)-\($0)" }
            let found = plugins.read([Self.page(names)], sr: "s", host: "h", at: 1000)
            #expect(found.count == 100)
            archived += found.count { $0.reading.isArchived }
            plugins.keep(["s"], [.host("h")])
            #expect(plugins.takeFull().count == (look == 2 ? 1 : 0))
        }
        #expect(archived == PluginReadings.mostArchived)
        // What is in the archive stays in it; of another owner there is nothing yet.
        let first = plugins.read([Self.page(["n0-0"])], sr: "s", host: "h", at: 1000)
        #expect(first.count == 1 && first.allSatisfy { $0.reading.isArchived })
        let other = plugins.read([Self.page(["new"], owner: .machine("v"))], sr: "s", host: "h", at: 1000)
        #expect(other.count == 1 && other.allSatisfy { $0.reading.isArchived })
    }

    @Test("names that several have are archived once, and all are at /metrics") func namesThatSeveralHave() {
        var plugins = PluginReadings()
        var seen: [MetricOwner: [Reading]] = [.host("h"): [Reading(MetricSource("cpu0", "", units: ""), 0)]]
        var names: [MetricOwner: Set<String>] = [.host("h"): ["cpu0"]]
        for sr in ["s", "t"] {
            let pages = [Self.page(["heat", "cpu0"]), Self.page(["heat"]), Self.page(["x"], owner: .machine("gone"))]
            PluginReadings.take(plugins.read(pages, sr: sr, host: "h", at: 1000), into: &seen, &names)
        }
        let all = seen[.host("h")] ?? []
        #expect(seen.count == 1 && all.map(\.source.name) == ["cpu0", "heat", "cpu0", "heat", "cpu0"])
        #expect(all.map(\.isArchived) == [true, true, false, false, false])
        let text = Exposition.text(all)
        for sr in ["s", "t"] {
            #expect(text.contains("sr=\"\(sr)\",owner=\"host\",owner_uuid=\"h\",source=\"heat\"} 1\n"))
        }
    }

    @Test func disksHaveTheNamesThatClientsLookFor() throws {
        var disks = DiskReadings()
        var counters = DatapathCounters()
        let labels = [Exposition.Label("vm", "v"), Exposition.Label("name", "n")]
        var archive = MetricArchive()
        archive.record(disks.disk(device: "xvda", counters, vm: labels), at: 1000)
        (counters.reads, counters.readBytes, counters.readNanoseconds) = (20, 81920, 40_000_000)
        archive.record(disks.disk(device: "xvda", counters, vm: labels), at: 1005)
        #expect(archive.value("vbd_xvda_read") == 16384 && archive.value("vbd_xvda_iops_read") == 4)
        #expect(archive.value("vbd_xvda_read_latency") == 2 && archive.value("vbd_xvda_write_latency") == 0)
        #expect(!archive.names.contains { $0.hasSuffix("_seconds") })
        let text = Exposition.text(disks.disk(device: "xvda", counters, vm: labels))
        #expect(text.contains("gantry_vm_disk_read_bytes_total{vm=\"v\",name=\"n\",device=\"xvda\"} 81920\n"))
        #expect(text.contains("gantry_vm_disk_read_seconds_total{vm=\"v\",name=\"n\",device=\"xvda\"} 0.04\n"))
        let host = DiskReadings.ofHost(disks.repository("12345678-9", counters, labels: []), sr: "12345678-9")
        #expect(host.map(\.source.name).contains("io_throughput_read_12345678"))
        #expect(host.allSatisfy { $0.exposition == nil })
    }
}
