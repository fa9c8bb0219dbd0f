import Glibc

/// Floats in the text form XenAPI uses: C's `%.16g`.
public enum FloatText {
    public static func format(_ number: Double) -> String {
        var buffer = [CChar](repeating: 0, count: 40)
        // SAFETY: vsnprintf writes at most `count` bytes, terminator included; `%.16g` needs 24 at most.
        let length = unsafe buffer.withUnsafeMutableBufferPointer { room in
            unsafe withVaList([number]) { arguments in
                unsafe vsnprintf(room.baseAddress, room.count, "%.16g", arguments)
            }
        }
        return String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
