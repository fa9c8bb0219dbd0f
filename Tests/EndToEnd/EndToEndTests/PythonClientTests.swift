import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct PythonClient {
        /// The unmodified Python XenAPI SDK over HTTP: logs in with the password, lists storage managers with their formats,
        /// creates a qcow2 disk, moves it to vhd and waits on the task.
        @Test func theSDKCreatesAndMovesADisk() async throws {
            try await withToolstack { toolstack in
                let source = try await toolstack.makeRepository("a", formats: "qcow2,vhd")
                let destination = try await toolstack.makeRepository("b", formats: "qcow2,vhd")
                let script = toolstack.folder.file("client.py")
                try Data(Self.program.utf8).write(to: URL(fileURLWithPath: script))
                let output = try Tool.check("python3", [script, toolstack.httpURL, toolstack.password])
                #expect(output.contains("formats ['qcow2', 'raw', 'vhd']"), "\(output)")
                #expect(output.contains("created qcow2"))
                #expect(output.contains("task success progress 1.0"))
                #expect(output.contains("moved vhd to b"))
                #expect(output.contains("refused SESSION_AUTHENTICATION_FAILED"))
                #expect(try RunningToolstack.images(source.path) == [])
                let images = try RunningToolstack.images(destination.path)
                #expect(images.count == 1 && images[0].hasSuffix(".vhd"))
                try Tool.check("qemu-img", ["info", "-f", "vpc", destination.path + "/" + images[0]])
            }
        }

        private static let program = """
            import sys, XenAPI
            url, password = sys.argv[1:]
            session = XenAPI.Session(url)
            session.xenapi.login_with_password("root", password, "2.23", "gantry-test")
            for ref, sm in session.xenapi.SM.get_all_records().items():
                print("formats", sorted(sm["supported_image_formats"]))
            srs = {record["name_label"]: ref for ref, record in session.xenapi.SR.get_all_records().items()}
            vdi = session.xenapi.VDI.create({
                "name_label": "from python", "name_description": "", "SR": srs["a"], "virtual_size": str(40 << 20),
                "type": "user", "sharable": False, "read_only": False, "other_config": {}, "xenstore_data": {},
                "sm_config": {"image-format": "qcow2"}, "tags": []})
            record = session.xenapi.VDI.get_record(vdi)
            print("created", record["sm_config"]["image-format"], record["location"])
            task = session.xenapi.Async.VDI.pool_migrate(vdi, srs["b"], {"dest-img-format": "vhd"})
            token = ""
            while session.xenapi.task.get_status(task) == "pending":
                token = session.xenapi.event_from(["task/" + task], token, 10.0)["token"]
            print("task", session.xenapi.task.get_status(task), "progress", session.xenapi.task.get_progress(task))
            result = session.xenapi.task.get_result(task)
            new = result[len("<value>"):-len("</value>")]
            session.xenapi.task.destroy(task)
            record = session.xenapi.VDI.get_record(new)
            print("moved", record["sm_config"]["image-format"], "to", session.xenapi.SR.get_name_label(record["SR"]))
            session.xenapi.session.logout()
            try:
                XenAPI.Session(url).xenapi.login_with_password("root", "wrong", "2.23", "gantry-test")
            except XenAPI.Failure as failure:
                print("refused", failure.details[0])
            """
    }
}
