// A self-test against any XenAPI server. All of it is in QuickTests; here are only the process's ends.
import Foundation
import QuickTests

signal(SIGPIPE, SIG_IGN)
exit(await QuickTestProgram.run(Array(CommandLine.arguments.dropFirst())))
