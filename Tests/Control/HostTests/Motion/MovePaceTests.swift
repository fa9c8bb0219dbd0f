import Testing

@testable import Toolstack

/// What a plan of a move to another pool stands on, and what a move is asked for in an older release.
@Suite struct MovePaceTests {
    /// With `roundTrip` and a link of so many bytes a second; returns what was found, and how much was sent for that.
    private func probed(_ speed: Double, roundTrip: Double) -> (found: Double, sent: Int) {
        var (probe, sent) = (LinkProbe(), 0)
        while let size = probe.piece {
            sent += size
            probe.took(.seconds(roundTrip + Double(size) / speed))
        }
        return (Double(probe.bytesPerSecond ?? 0), sent)
    }

    @Test func aLinkIsMeasuredWithoutItsRoundTripsAndWithFewBytes() {
        for speed in [1e5, 1e6, 1e8, 1e9] {
            for roundTrip in [0.0001, 0.1] where Double(2 << 20) / speed > roundTrip / 5 {
                let (found, sent) = probed(speed, roundTrip: roundTrip)
                #expect(abs(found / speed - 1) < 0.02, "\(speed) \(roundTrip): \(found)")
                #expect(sent <= 4 << 20)
            }
        }
        #expect(probed(1e5, roundTrip: 0.01).sent == 16 << 10, "a slow link is not filled")
        // A clock that stands still, and an answer that came before the round trip's, are no endless speed.
        var probe = LinkProbe()
        while probe.piece != nil { probe.took(.zero) }
        #expect(probe.bytesPerSecond == 1_000_000_000_000_000)
        #expect(LinkProbe().bytesPerSecond == nil)
    }

    @Test func aPlanStandsOnTheSlowest() {
        func pace(_ storage: UInt64?, _ link: UInt64?, _ limit: UInt64 = 0) -> String {
            let (speed, basis) = PlanMessages.pace(storage: storage, link: link, limit: limit)
            return "\(speed ?? 0) \(basis)"
        }
        #expect(pace(9, 5) == "5 what the network to the other pool took just now")
        #expect(pace(nil, 5) == "5 what the network to the other pool took just now")
        #expect(pace(5, 9) == "5 what the source's storage delivered just now; the network takes more")
        #expect(pace(5, nil) == "5 what the source's storage delivered just now; the network is not measured")
        #expect(pace(9, 5, 3) == "3 the rate limit" && pace(nil, nil, 3) == "3 the rate limit")
        #expect(pace(9, 5, 7).hasPrefix("5 what the network"))
    }

    /// As a server of before there was a choice of formats did.
    @Test func anOlderReleasePassesOverTheFormatOfAMove() {
        let options = ["dest-img-format": "qcow2"]
        #expect(DiskMoves.choice(options) == "qcow2" && DiskMoves.choice([:]).isEmpty)
        #expect(DiskMoves.choice(options, knowsFormats: false).isEmpty)
    }
}
