import BlockIO

extension BlockDevice {
    /// `count` bytes from `offset`.
    func bytes(_ offset: UInt64, _ count: Int) throws -> [UInt8] {
        var all = [UInt8](repeating: 0xA5, count: count)
        // SAFETY: reads into the array's own storage.
        let failure: BlockError? = unsafe all.withUnsafeMutableBytes { buffer in
            do throws(BlockError) {
                try unsafe read(into: buffer, at: offset)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return all
    }

    /// Stores `data` at `offset`.
    func store(_ data: [UInt8], at offset: UInt64) throws {
        // SAFETY: writes from the array's own storage.
        let failure: BlockError? = unsafe data.withUnsafeBytes { buffer in
            do throws(BlockError) {
                try unsafe write(buffer, at: offset)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }
}
