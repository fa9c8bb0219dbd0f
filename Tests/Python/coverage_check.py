"""Comes last: whether the suite called what this build implements, and whether every error was a declared one."""

from suite import clients
from suite.case import Case, World

#: Implemented messages that no test calls with success; with the reason, and the errors that tests saw instead.
WITHOUT_SUCCESS = {
    "session.slave_login": (
        "a pool of one host has no secret: it is always refused",
        ["SESSION_AUTHENTICATION_FAILED"],
    ),
    "session.slave_local_login": ("a pool of one host has no secret", ["SESSION_AUTHENTICATION_FAILED"]),
    "SR.assert_supports_database_replication": (
        "no driver of this build can hold a copy of the database",
        ["SR_OPERATION_NOT_SUPPORTED"],
    ),
    "host.dmesg_clear": ("would empty the kernel's messages of the machine that runs the tests", []),
}

#: Codes whose numbers of parameters are not the declared ones, as clients know them from other servers.
OTHER_COUNTS = {
    "SESSION_AUTHENTICATION_FAILED": [2],  # user and text; declared without
    "VDI_IN_USE": [1, 2],  # without an operation when a drive is plugged
    "VM_IS_TEMPLATE": [1, 2],
    "VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION": [0, 1],  # the disk, from moves; declared without
}
#: Codes with as many parameters as there are objects in the way.
ANY_COUNT = {"NETWORK_CONTAINS_PIF", "NETWORK_CONTAINS_VIF"}
#: Codes that no datamodel declares, by the rules of the API; the second and third are those of SMAPIv3's hosts, the last
#: one that XenAPI's toolstack raises and does not declare.
UNDECLARED = {"Fault", "SCRIPT_FAILED", "SCRIPT_RETURNED_RPC_ERROR", "VM_IS_SNAPSHOT"}


class CoverageTests(Case):
    def test_every_implemented_message_was_called_with_success(self):
        self.assertTrue(World.is_complete)
        left = []
        for message in self.model.messages.values():
            if message.coverage != "implemented":
                continue
            seen = clients.LOG.outcomes[message.name]
            if seen["success"]:
                if message.name in WITHOUT_SUCCESS:
                    left.append("%s succeeded: take it out of WITHOUT_SUCCESS" % message.name)
                continue
            reason, errors = WITHOUT_SUCCESS.get(message.name, (None, []))
            if reason is None or any(not seen[code] for code in errors):
                left.append("%s: %s; call it, or say in WITHOUT_SUCCESS why not" % (message.name, dict(seen)))
        self.assertEqual(left, [])

    def test_every_implemented_message_is_described(self):
        """Those of objects and fields follow from the texts of classes and fields."""
        left = [
            m.name
            for m in self.model.messages.values()
            if m.coverage == "implemented" and m.kind == "custom" and not m.text
        ]
        self.assertEqual(left, [])

    def test_every_error_was_declared_and_had_its_parameters(self):
        wrong = []
        for (code, count), method in sorted(clients.LOG.errors.items()):
            if code in UNDECLARED or (code in self.model.errors and code in ANY_COUNT):
                continue
            if code not in self.model.errors and not code.startswith("SR_BACKEND_FAILURE_"):
                wrong.append("%s of %s is not declared" % (code, method))
            elif count not in OTHER_COUNTS.get(code, [len(self.model.errors.get(code, "123"))]):
                wrong.append(
                    "%s of %s has %d parameters instead of %s" % (code, method, count, self.model.errors.get(code))
                )
        self.assertEqual(wrong, [])
