import Testing

/// The judge of bitmaps is judged: it must see what the crash tests rely on it to see.
@Suite struct BitmapHistoryTests {
    private func found(_ numbers: [UInt64], _ claim: DiskHistory.BitmapClaim?) -> DiskHistory.State {
        var state = DiskHistory.State(numbers: numbers)
        state.bitmaps["b"] = claim
        return state
    }

    @Test func aBitmapThatMissesAChangeIsCaught() {
        var history = BitmapHistory()
        history.began("b", [1, 2, 3, 4], first: 10, done: 20)
        #expect(history.contradiction(found([1, 9, 3, 4], .changed([1..<2])), cut: 30) == nil)
        #expect(history.contradiction(found([1, 9, 3, 4], .changed([0..<4])), cut: 30) == nil)
        #expect(history.contradiction(found([1, 9, 3, 4], .useless), cut: 30) == nil)
        #expect(history.contradiction(found([1, 9, 3, 4], .changed([2..<3])), cut: 30) != nil)
        #expect(history.contradiction(found([1, 9, 3, 4], nil), cut: 30) != nil)
        // Before it was made it need not be there, and nothing may call it of use.
        #expect(history.contradiction(found([1, 9, 3, 4], nil), cut: 15) == nil)
        #expect(history.contradiction(found([1, 2, 3, 4], .changed([])), cut: 10) != nil)
    }

    @Test func clearingAndResizingBeginItAnew() {
        var history = BitmapHistory()
        history.began("b", [1, 2], first: 0, done: 5)
        history.began("b", [1, 9], first: 10, done: 20)
        #expect(history.contradiction(found([1, 9], .changed([])), cut: 20) == nil)
        #expect(history.contradiction(found([1, 2], .changed([])), cut: 20) != nil)
        // While it is cleared either beginning is right.
        #expect(history.contradiction(found([1, 2], .changed([])), cut: 15) == nil)
        history.resized(to: 1, first: 20, done: 30)
        history.resized(to: 3, first: 30, done: 40)
        #expect(history.contradiction(found([1, 0, 0], .changed([])), cut: 40) == nil)
        #expect(history.contradiction(found([1, 9, 0], .changed([])), cut: 40) != nil)
        history.deleted("b", first: 40, done: 50)
        #expect(history.contradiction(found([1, 0, 0], nil), cut: 50) == nil)
        #expect(history.contradiction(found([1, 0, 0], .useless), cut: 50) != nil)
    }

    /// One that a crash made useless before the session stays so.
    @Test func whatWasOfNoUseDoesNotBecomeOfUse() {
        let history = BitmapHistory(found([1, 2], .useless))
        #expect(history.usable.isEmpty && history.names == ["b"])
        #expect(history.contradiction(found([1, 2], .useless), cut: 5) == nil)
        #expect(history.contradiction(found([1, 2], .changed([0..<2])), cut: 5) != nil)
        let marked = BitmapHistory(found([1, 2], .changed([1..<2])))
        #expect(marked.contradiction(found([1, 2], .changed([1..<2])), cut: 5) == nil)
        #expect(marked.contradiction(found([1, 2], .changed([])), cut: 5) != nil)
    }
}
