import Testing

@testable import BlockCopy

@Suite struct HelperNeedTests {
    /// Another thread comes when the first one sleeps, and goes when it does not.
    @Test func helpComesForThoseWhoWait() {
        var need = HelperNeed()
        for _ in 0..<64 { need.moved(hasSlept: false) }
        #expect(!need.isThere)
        for index in 0..<16 { need.moved(hasSlept: index < 4) }
        #expect(need.isThere)
        for index in 0..<16 { need.moved(hasSlept: index < 3) }
        #expect(!need.isThere)
        // The eighth window is without.
        for window in 7...17 {
            for _ in 0..<16 { need.moved(hasSlept: true) }
            #expect(need.isThere == (window != 8 && window != 16), "\(window)")
        }
    }
}
