import Testing

@testable import DataModel

@Suite struct ReleaseTests {
    @Test func releasesAreOrderedAndNamesAreNone() throws {
        let texts = ["1.0", "26.2.0", "26.14", "26.14.0-next", "26.14.1", "26.15.0", "27.0"]
        let releases = try texts.map { try #require(Release($0)) }
        #expect(releases.sorted() == releases)
        #expect(Release("26.14") == Release("26.14.0"))
        for text in ["rio", "", "26", "26.14.0.1", "26.x", "26.14-beta", "-1.2", "26.14.0-next-next"] {
            #expect(Release(text) == nil, "\(text)")
        }
    }

    /// What came later is neither shown nor taken, and is stored all the same.
    @Test func anOlderReleaseKnowsNothingOfWhatCameAfterIt() throws {
        let older = Datamodel(release: Release("26.14"))
        let field = try #require(older.classNamed("SM")?.field("supported_image_formats"))
        #expect(field.isInternal)
        #expect(older.message("SM.get_supported_image_formats") == nil)
        #expect(older.message("VM.migrate_send")?.parameters.map(\.name).contains("vdi_format_map") == false)
        #expect(older.message("VM.migrate_send")?.parameters.last?.name == "vgpu_map")
        #expect(older.message("VM.assert_can_migrate")?.parameters.last?.name == "vgpu_map")
        #expect(older.message("VM.plan_migrate_send") == nil)
        #expect(Datamodel(release: Release("26.17")).message("VM.plan_migrate_send") != nil)
        let newest = Datamodel(release: nil)
        #expect(older.classes.map { $0.fields.map(\.name) } == newest.classes.map { $0.fields.map(\.name) })
    }
}
