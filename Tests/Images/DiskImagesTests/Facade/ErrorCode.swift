import BlockIO

/// The code of the error that `body` throws; nil when it throws none.
func code(_ body: () throws -> Void) -> BlockError.Code? {
    do {
        try body()
        return nil
    } catch let error as BlockError {
        return error.code
    } catch { return nil }
}
