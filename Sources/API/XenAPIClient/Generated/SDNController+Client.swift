// Generated from DataModel by scripts/generate.sh. Do not edit.

public import APITypes
public import RPCCodec

/// A record of the class `SDN_controller`.
public struct SDNControllerRecord: XenRecord {
    public var uuid: String
    public var `protocol`: Open<SDNControllerProtocol>
    public var address: String
    public var port: Int64

    public init(wire: WireValue) throws(WireMismatch) {
        var record = try RecordReader(wire, of: "SDN_controller")
        uuid = try record.field("uuid")
        `protocol` = try record.field("protocol")
        address = try record.field("address")
        port = try record.field("port")
    }
}

extension SDNController: RecordClass { public typealias Record = SDNControllerRecord }

/// The messages of the class `SDN_controller`.
public struct SDNControllerCalls: ObjectCalls, ListingCalls {
    public typealias Class = SDNController
    public let caller: any XenAPICaller
    init(_ caller: any XenAPICaller) { self.caller = caller }

    /// Calls `SDN_controller.introduce`.
    ///
    /// Since falcon. Role: pool-operator.
    public func introduce(`protocol`: SDNControllerProtocol = .ssl, address: String = "", port: Int64 = 0) async throws -> Ref<SDNController> {
        try await self.caller.invoke("SDN_controller.introduce", [`protocol`.wire, address.wire, port.wire], defaults: [.string("ssl"), .string(""), .int(0)])
    }

    /// Starts `SDN_controller.introduce` and answers with its task.
    public func asyncIntroduce(`protocol`: SDNControllerProtocol = .ssl, address: String = "", port: Int64 = 0) async throws -> XenTaskHandle<Ref<SDNController>> {
        try await self.caller.launch("SDN_controller.introduce", [`protocol`.wire, address.wire, port.wire], defaults: [.string("ssl"), .string(""), .int(0)])
    }

    /// Calls `SDN_controller.forget`.
    ///
    /// Since falcon. Role: pool-operator.
    public func forget(_ sdnController: Ref<SDNController>) async throws {
        try await self.caller.perform("SDN_controller.forget", [sdnController.wire])
    }

    /// Starts `SDN_controller.forget` and answers with its task.
    public func asyncForget(_ sdnController: Ref<SDNController>) async throws -> XenTaskHandle<NoValue> {
        try await self.caller.launch("SDN_controller.forget", [sdnController.wire])
    }
}
