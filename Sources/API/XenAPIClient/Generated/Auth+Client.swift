// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
import RPCCodec

/// The messages of the class `auth`.
public struct AuthCalls: ClassCalls {
    public typealias Class = Auth
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// The identifier of an account: its name. SUBJECT_CANNOT_BE_RESOLVED where there is no such account.
    ///
    /// Since george. Role: read-only.
    public func getSubjectIdentifier(subjectName: String) async throws -> String {
        try await self.caller.invoke("auth.get_subject_identifier", [subjectName.wire])
    }

    /// What is known of an account: its name and its full name.
    ///
    /// Since george. Role: read-only.
    public func getSubjectInformationFromIdentifier(subjectIdentifier: String) async throws -> [String: String] {
        try await self.caller.invoke("auth.get_subject_information_from_identifier", [subjectIdentifier.wire])
    }

    /// The groups of an account: none, accounts here belong to none.
    ///
    /// Since george. Role: read-only.
    public func getGroupMembership(subjectIdentifier: String) async throws -> [String] {
        try await self.caller.invoke("auth.get_group_membership", [subjectIdentifier.wire])
    }
}
