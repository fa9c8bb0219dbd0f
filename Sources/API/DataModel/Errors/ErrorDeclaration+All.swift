extension ErrorDeclaration {
    /// By code.
    static let all: [ErrorDeclaration] = fromAtoC + fromDtoH + fromItoR + fromStoU + fromVtoZ
}
