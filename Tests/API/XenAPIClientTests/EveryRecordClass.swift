import XenAPIClient

/// Every class that has records. A test compares it with the datamodel.
let everyRecordClass: [any RecordClass.Type] = [
    Blob.self, Bond.self, Caller.self, Certificate.self, Cluster.self, ClusterHost.self, Crashdump.self,
    DRTask.self, DataSource.self, DriverVariant.self, Feature.self, GPUGroup.self, Host.self, HostCPU.self,
    HostCrashdump.self, HostDriver.self, HostMetrics.self, HostPatch.self, LVHD.self, Network.self,
    NetworkSRIOV.self, Observer.self, PBD.self, PCI.self, PGPU.self, PIF.self, PIFMetrics.self, PUSB.self,
    PVSCacheStorage.self, PVSProxy.self, PVSServer.self, PVSSite.self, Pool.self, PoolPatch.self, PoolUpdate.self,
    ProbeResult.self, RateLimit.self, Repository.self, Role.self, SDNController.self, SM.self, SR.self,
    SRStat.self, Secret.self, Session.self, Subject.self, Tunnel.self, USBGroup.self, User.self, VBD.self,
    VBDMetrics.self, VDI.self, VDINBDServerInfo.self, VGPU.self, VGPUType.self, VIF.self, VIFMetrics.self,
    VLAN.self, VM.self, VMAppliance.self, VMGroup.self, VMGuestMetrics.self, VMMetrics.self, VMPP.self, VMSS.self,
    VTPM.self, VUSB.self, XenConsole.self, XenEvent.self, XenMessage.self, XenTask.self,
]
