import Testing

@testable import DiskImages

/// The table of geometries in section 2 of the test vectors.
@Suite struct VHDGeometryTests {
    @Test(
        arguments: [
            (512, 0, 4, 17), (2_097_152, 60, 4, 17), (3_145_728, 90, 4, 17), (10_485_760, 301, 4, 17),
            (104_857_600, 1003, 12, 17), (528_482_304, 1024, 16, 63), (1_073_741_824, 2080, 16, 63),
            (8_589_934_592, 16644, 16, 63), (10_737_418_240, 20805, 16, 63), (33_822_350_848, 65534, 16, 63),
            (33_822_351_360, 16191, 16, 255), (33_822_351_872, 16191, 16, 255), (136_365_211_648, 65278, 16, 255),
            (136_899_993_600, 65535, 16, 255), (137_438_953_472, 65535, 16, 255), (2_190_433_320_960, 65535, 16, 255),
        ] as [(UInt64, UInt16, UInt8, UInt8)])
    func geometryFollowsTheSpecification(size: UInt64, cylinders: UInt16, heads: UInt8, sectors: UInt8) {
        let geometry = VHDGeometry(size: size)
        #expect(geometry == VHDGeometry(cylinders: cylinders, heads: heads, sectorsPerTrack: sectors))
        #expect(geometry.size <= size)
    }
}
