import BlockIO
import NBDTransport
import TestSupport
import Testing

/// Our client against our server.
struct LoopTests {
    @Test func randomOperationsFromManyThreadsMatchTheModel() throws {
        var random = SeededRandom.printed()
        let served = try Served(MemoryDevice(size: 8 << 20))
        let clients = [try served.connect(), try served.connect()]
        try ModelRun.onThreads(6, clients, steps: 120, &random)
        for client in clients { try client.close() }
    }

    @Test func requestsLargerThanThe32MiBLimitAreSplit() throws {
        var random = SeededRandom.printed()
        let served = try Served(MemoryDevice(size: 80 << 20))
        let client = try served.connect()
        let bytes = random.bytes(70 << 20)
        try client.put(bytes, at: 12_345)
        #expect(try client.bytes(at: 12_345, bytes.count) == bytes)
        #expect(try served.device.bytes(at: 12_345, bytes.count) == bytes)
        try client.close()
        #expect { try client.bytes(at: 0, 512) } throws: { ($0 as? BlockError)?.code == .disconnected }
    }

    @Test func aSlowFlushHoldsUpNoReads() throws {
        let gate = GateDevice(size: 1 << 20)
        try gate.put([UInt8](repeating: 9, count: 8192), at: 0)
        let served = try Served(gate)
        let client = try served.connect()
        gate.closeGate()
        let flusher = WorkerThread("flusher") { try? client.flush() }
        gate.awaitFlush()
        #expect(try client.bytes(at: 4096, 4) == [9, 9, 9, 9])
        try client.put([1], at: 0)
        #expect(try client.bytes(at: 0, 1) == [1])
        #expect(gate.flushCount == 0)
        gate.openGate()
        flusher.join()
        #expect(gate.flushCount == 1)
        try client.close()
    }

    @Test func forcedWritesAreFlushedBeforeTheirAnswer() throws {
        let gate = GateDevice(size: 8 << 20)
        let served = try Served(gate)
        try Tool.check("qemu-io", ["-f", "raw", "-t", "none", "-c", "write -f -P 5 0 4k", served.uri])
        #expect(gate.flushCount >= 1)
        let peer = try RawPeer(served.path)
        #expect(peer.enter())
        for (index, command) in [1, 4, 6].enumerated() {
            let before = gate.flushCount
            let payload: [UInt8] = command == 1 ? [UInt8](repeating: 3, count: 512) : []
            peer.send(RawPeer.request(UInt16(command), flags: 1, handle: UInt64(index), length: 512) + payload)
            #expect(peer.receiveError() == 0)
            #expect(gate.flushCount == before + 1)
        }
    }

    @Test(arguments: [
        (BlockError.Code.noSpace, BlockError.Code.noSpace), (.readOnly, .readOnly), (.io, .io), (.corrupt, .io),
        (.unsupported, .unsupported),
    ])
    func deviceErrorsReachTheCallerWithTheirMeaning(thrown: BlockError.Code, seen: BlockError.Code) throws {
        let gate = GateDevice(size: 8 << 20)
        gate.fail(at: 1 << 20, with: BlockError(thrown, "told to fail"))
        let served = try Served(gate)
        let client = try served.connect()
        func expect(_ body: () throws -> Void) {
            #expect { try body() } throws: { error in
                guard let error = error as? BlockError else { return false }
                return error.code == seen && error.message.contains("told to fail") && error.offset == 1 << 20
            }
        }
        expect { _ = try client.bytes(at: 1 << 20, 4096) }
        expect { _ = try client.bytes(at: 1 << 20, 1 << 20) }
        expect { try client.put([1, 2, 3], at: 1 << 20) }
        expect { try client.put([UInt8](repeating: 1, count: 1 << 20), at: 1 << 20) }
        expect { try client.writeZeroes(at: 1 << 20, length: 4096, mayUnmap: true) }
        expect { try client.discard(at: 1 << 20, length: 4 << 20) }
        expect { _ = try client.extents(at: 1 << 20, length: 4096) }
        // The connection is none the worse for it.
        #expect(try client.bytes(at: 0, 512) == [UInt8](repeating: 0, count: 512))
        try client.close()
    }

    @Test func everyWaitingCallerIsReleasedWhenTheServerGoesAway() throws {
        let gate = GateDevice(size: 1 << 20)
        let served = try Served(gate)
        let client = try served.connect()
        gate.closeGate()
        let failures = Failures()
        let callers = (0..<5).map { index in
            WorkerThread("caller-\(index)") {
                do throws(BlockError) { try client.flush() } catch { failures.add(error.code.name) }
            }
        }
        gate.awaitFlush()
        let stopper = WorkerThread("stopper") { [server = served.server] in server.stop() }
        for caller in callers { caller.join() }
        #expect(failures.all == [String](repeating: "disconnected", count: 5))
        #expect { try client.bytes(at: 0, 1) } throws: { ($0 as? BlockError)?.code == .disconnected }
        gate.openGate()
        stopper.join()
        #expect(throws: BlockError.self) { _ = try served.connect() }
    }

    @Test func rangesAndPermissionsAreCheckedBeforeSending() throws {
        let served = try Served(MemoryDevice(size: 1 << 20))
        let client = try served.connect(readOnly: true)
        #expect { try client.put([1], at: 0) } throws: { ($0 as? BlockError)?.code == .readOnly }
        #expect { try client.bytes(at: (1 << 20) - 1, 2) } throws: { ($0 as? BlockError)?.code == .outOfRange }
        #expect { try client.bytes(at: .max, 2) } throws: { ($0 as? BlockError)?.code == .outOfRange }
        try client.close()
    }
}
