import APITypes
import DatapathControl
import Testing

@testable import Toolstack

@Suite struct ThrottleParameterTests {
    @Test func parametersOfAThrottleAreItsRates() throws {
        let limits = try ThrottleParameters.limits(
            type: "throttle",
            ["iops": "500", "iops-burst": "1000", "write-bytes-per-second": "1048576", "read-iops": "1"])
        var wanted = DiskLimitSettings()
        wanted.operations = DiskLimitSettings.Rate(perSecond: 500, burst: 1000)
        wanted.writeBytes = DiskLimitSettings.Rate(perSecond: 1 << 20)
        wanted.readOperations = DiskLimitSettings.Rate(perSecond: 1)
        #expect(limits == wanted)
        #expect(try ThrottleParameters.limits(type: "throttle", ["iops-burst": "7"]) == DiskLimitSettings())
        // What other toolstacks know is kept, and limits nothing.
        #expect(try ThrottleParameters.limits(type: "ionice", ["sched": "rt", "iops": "x"]) == DiskLimitSettings())
        #expect(try ThrottleParameters.limits(type: "", ["iops": "500"]) == DiskLimitSettings())
    }

    @Test(arguments: [
        ("iop", "500"), ("iops", "0"), ("iops", "-1"), ("iops", "5.5"), ("iops", ""), ("iops", "1000000000000001"),
        ("iops", "99999999999999999999"), ("read-iops-burst", "0"), ("burst", "5"), ("-burst", "5"),
    ])
    func parametersThatMeanNothingAreRefused(key: String, value: String) {
        #expect {
            try ThrottleParameters.limits(type: "throttle", [key: value])
        } throws: {
            ($0 as? APIError)?.parameters == ["qos_algorithm_params:\(key)", value]
        }
    }
}
