// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
import RPCCodec

/// The messages of the class `auth`.
public struct AuthCalls: ClassCalls {
    public typealias Class = Auth
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `auth.get_subject_identifier`.
    ///
    /// Since george. Role: read-only.
    public func getSubjectIdentifier(subjectName: String) async throws -> String {
        try await self.caller.invoke("auth.get_subject_identifier", [subjectName.wire])
    }

    /// Calls `auth.get_subject_information_from_identifier`.
    ///
    /// Since george. Role: read-only.
    public func getSubjectInformationFromIdentifier(subjectIdentifier: String) async throws -> [String: String] {
        try await self.caller.invoke("auth.get_subject_information_from_identifier", [subjectIdentifier.wire])
    }

    /// Calls `auth.get_group_membership`.
    ///
    /// Since george. Role: read-only.
    public func getGroupMembership(subjectIdentifier: String) async throws -> [String] {
        try await self.caller.invoke("auth.get_group_membership", [subjectIdentifier.wire])
    }
}
